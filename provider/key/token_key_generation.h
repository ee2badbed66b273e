// Key generation through EVP onto a token: only where the parameter `pkcs11_uri`, as pkcs11-provider calls
// it, names the alias of the new key. Everything else is generated in software.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include <openssl/core.h>

#include "native/keys/key_spec.h"
#include "native/pkcs11/wiped_text.h"
#include "provider/key/key.h"

namespace keystay::provider {

// What an application asks for, collected from the parameters of EVP_PKEY_CTX.
class TokenKeyRequest final {
 public:
  // Takes what is meant for keys on tokens, and leaves the rest. Throws Error for a value that is none.
  void take(const OSSL_PARAM params[]);
  // The curve of the new key, from a template.
  void take_group(std::string name) { group_ = std::move(name); }

  // Whether the new key is to be on a token at all.
  [[nodiscard]] bool has_target() const noexcept { return !uri_.empty(); }

  // Makes the key. It is written, until it is loaded anew, as its PEM reference. Throws Error, pkcs11::Error.
  [[nodiscard]] KeyPtr generate(Context& context, const KeyType& type) const;

  // Besides the default provider's; ends with a null entry.
  [[nodiscard]] static std::span<const OSSL_PARAM> settable_params() noexcept;

 private:
  [[nodiscard]] KeyPtr generate_on_token(Context& context, const KeyType& type) const;
  [[nodiscard]] keys::KeyUse use(const KeyType& type) const;

  pkcs11::WipedText uri_;
  std::optional<std::string> usage_;
  std::string group_;  // EC: OpenSSL's name of the curve
  unsigned bits_ = 0;  // RSA; 0: the default
  bool unusual_exponent_ = false;
};

}  // namespace keystay::provider
