#include "native/ha/verified_operations.h"

#include <utility>
#include <variant>

#include "native/pkcs11/error.h"
#include "native/pkcs11/wipe.h"

namespace keystay::ha {
namespace {

class VerifiedOperations final : public pkcs11::KeyOperations {
 public:
  VerifiedOperations(std::shared_ptr<KeyOperations> inner, Verifier verifier)
      : inner_(std::move(inner)), verifier_(std::move(verifier)) {}

  std::size_t perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                      pkcs11::ByteView data, std::span<std::uint8_t> result,
                      pkcs11::Deadline deadline) override {
    const std::size_t size = inner_->perform(key, operation, data, result, deadline);
    const auto* sign = std::get_if<pkcs11::Sign>(&operation);
    if (!sign || !key.public_key()) return size;
    if (verifier_(*key.public_key(), sign->mechanism, data, result.first(size))) return size;
    pkcs11::wipe(result);
    throw pkcs11::Error(pkcs11::ErrorClass::server,
                        inner_->name() + " has made a wrong signature with " + key.name() +
                            ": it does not verify by the public key; look after this HSM");
  }

  [[nodiscard]] bool supports(const pkcs11::Operation& operation) override {
    return inner_->supports(operation);
  }
  [[nodiscard]] pkcs11::Deadline deadline() const override { return inner_->deadline(); }
  [[nodiscard]] pkcs11::HungCalls hung_calls() const override { return inner_->hung_calls(); }
  [[nodiscard]] std::string name() const override { return inner_->name(); }

 private:
  const std::shared_ptr<KeyOperations> inner_;
  const Verifier verifier_;
};

}  // namespace

std::shared_ptr<pkcs11::KeyOperations> verified(std::shared_ptr<pkcs11::KeyOperations> operations,
                                                Verifier verifier) {
  if (!verifier) return operations;
  return std::make_shared<VerifiedOperations>(std::move(operations), std::move(verifier));
}

}  // namespace keystay::ha
