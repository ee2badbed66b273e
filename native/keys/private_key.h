// A private key of an alias: opaque, immutable, cheap to copy, valid for the life of the process.
#pragma once

#include <memory>
#include <string>

#include "native/pkcs11/key_operations.h"

namespace keystay::keys {

class PrivateKey final {
 public:
  PrivateKey(std::shared_ptr<pkcs11::KeyOperations> operations, pkcs11::KeyReference reference);

  [[nodiscard]] const pkcs11::KeyReference& reference() const noexcept { return *reference_; }
  [[nodiscard]] pkcs11::KeyOperations& operations() const noexcept { return *operations_; }

  // For messages: `alias "httpd" on token "web"`.
  [[nodiscard]] std::string name() const { return reference_->name() + " on " + operations_->name(); }

  // Known from the token, from its certificate, or from a PEM reference file: touches no token.
  [[nodiscard]] const pkcs11::PublicKey& public_key() const { return *reference_->public_key(); }
  [[nodiscard]] CK_KEY_TYPE type() const noexcept { return reference_->type(); }
  [[nodiscard]] std::size_t signature_size() const { return signature_size_; }

  // As KeyOperations::perform.
  std::size_t perform(const pkcs11::Operation& operation, pkcs11::ByteView data,
                      std::span<std::uint8_t> result, pkcs11::Deadline deadline) const {
    return operations_->perform(*reference_, operation, data, result, deadline);
  }
  // The same, by the token's own time-out from now on.
  std::size_t perform(const pkcs11::Operation& operation, pkcs11::ByteView data,
                      std::span<std::uint8_t> result) const {
    return perform(operation, data, result, operations_->deadline());
  }
  std::size_t sign(const pkcs11::SignMechanism& mechanism, pkcs11::ByteView data,
                   std::span<std::uint8_t> signature) const {
    return perform(pkcs11::Sign{mechanism}, data, signature);
  }

 private:
  std::shared_ptr<pkcs11::KeyOperations> operations_;
  std::shared_ptr<const pkcs11::KeyReference> reference_;  // has a public key
  std::size_t signature_size_;
};

}  // namespace keystay::keys
