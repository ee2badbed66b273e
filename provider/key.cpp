#include "provider/key.h"

#include <utility>

#include "native/pkcs11/curve.h"
#include "native/x509/public_key.h"
#include "provider/async_signing.h"

namespace keystay::provider {
namespace {

constexpr const KeyType* kTokenTypes[] = {&kRsa, &kEc, &kEd25519, &kEd448};

// The name of an Edwards curve; those of ECDSA are no types of their own.
std::string_view curve_of(const pkcs11::PublicKey& key) noexcept {
  const auto* edwards = std::get_if<pkcs11::EdwardsPublicKey>(&key);
  const pkcs11::Curve* curve = edwards ? pkcs11::find_curve_by_parameters(edwards->parameters) : nullptr;
  return curve ? curve->name : std::string_view();
}

}  // namespace

Key::Key(Context& context, const KeyType& type, x509::EvpPkey software, int parts) noexcept
    : context_(context), type_(type), software_(std::move(software)), parts_(parts) {}

Key::Key(Context& context, const KeyType& type, keys::PrivateKey private_key, SignerThreads& signers)
    : context_(context),
      type_(type),
      private_key_(std::move(private_key)),
      signers_(&signers),
      software_(x509::to_evp_pkey(private_key_->public_key(), context.software().libctx())),
      parts_(type.required) {}

void Key::set_software(x509::EvpPkey software, int parts) noexcept {
  software_ = std::move(software);
  parts_ = parts;
}

std::optional<std::size_t> Key::perform(const Scheme& scheme, pkcs11::ByteView data,
                                        std::span<std::uint8_t> result) const {
  Software& software = context_.software();
  ASYNC_JOB* job = ASYNC_get_current_job();
  if (!job) {
    const auto deadline = private_key_->operations().deadline();
    return provider::perform({*private_key_, scheme, data, result, deadline}, software);
  }
  const auto outcome = perform_in_job(job, *signers_, {*private_key_, scheme, data, result, software});
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    context_.core().raise(failure->reason, failure->message.c_str());
    return std::nullopt;
  }
  return std::get<std::size_t>(outcome);
}

const KeyType* find_key_type(const pkcs11::PublicKey& key) noexcept {
  for (const KeyType* type : kTokenTypes) {
    if (type->token_type == pkcs11::key_type(key) && type->curve == curve_of(key)) return type;
  }
  return nullptr;
}

}  // namespace keystay::provider
