#include "provider/key.h"

#include <utility>

#include "native/x509/public_key.h"

namespace keystay::provider {
namespace {

constexpr const KeyType* kTokenTypes[] = {&kRsa, &kEc};

}  // namespace

Key::Key(Context& context, const KeyType& type, x509::EvpPkey software, int parts) noexcept
    : context_(context), type_(type), software_(std::move(software)), parts_(parts) {}

Key::Key(Context& context, const KeyType& type, keys::PrivateKey private_key)
    : context_(context),
      type_(type),
      private_key_(std::move(private_key)),
      software_(x509::to_evp_pkey(private_key_->public_key(), context.software().libctx())),
      parts_(type.required) {}

void Key::set_software(x509::EvpPkey software, int parts) noexcept {
  software_ = std::move(software);
  parts_ = parts;
}

std::size_t Key::sign(const Scheme& scheme, pkcs11::ByteView data, std::span<std::uint8_t> signature) const {
  return provider::sign(*private_key_, scheme, data, signature, context_.software());
}

const KeyType* key_type(CK_KEY_TYPE token_type) noexcept {
  for (const KeyType* type : kTokenTypes) {
    if (type->token_type == token_type) return type;
  }
  return nullptr;
}

}  // namespace keystay::provider
