// A key pair in software, taken apart as the attributes of PKCS #11 hold it, on its way to a token.
#pragma once

#include <array>

#include "native/keys/key_spec.h"
#include "native/pkcs11/wiped_text.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// Wiped on destruction; libcrypto's key keeps its own copy. Move-only.
class PrivateKeyParts final {
 public:
  // Borrows the key. Throws Error for an algorithm that no Keystay key has, for RSA of more than two primes,
  // and for a private half that does not sign for its public half.
  explicit PrivateKeyParts(EVP_PKEY* key);

  [[nodiscard]] const pkcs11::PublicKey& public_key() const noexcept { return public_key_; }
  // Borrows from this object.
  [[nodiscard]] keys::SoftwareKey software_key() const;

 private:
  pkcs11::PublicKey public_key_;
  std::array<pkcs11::WipedText, 6> private_half_;  // in the order of keys::SoftwareKey, the rest is empty
};

}  // namespace keystay::x509
