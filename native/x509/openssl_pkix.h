// keys::Pkix by libcrypto.
#pragma once

#include "native/keys/pkix.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

class OpenSslPkix final : public keys::Pkix {
 public:
  // Algorithms are fetched from `libctx`, which must outlive this object; null is libcrypto's default one.
  explicit OpenSslPkix(OSSL_LIB_CTX* libctx = nullptr) : libctx_(libctx) {}

  [[nodiscard]] std::optional<keys::Certificate> decode(pkcs11::ByteView der) const override;
  [[nodiscard]] bool issued_by(const keys::Certificate& certificate,
                               const keys::Certificate& issuer) const override;
  [[nodiscard]] std::optional<pkcs11::EcPublicKey> uncompressed(
      const pkcs11::EcPublicKey& key) const override;
  [[nodiscard]] pkcs11::Bytes key_identifier(const pkcs11::PublicKey& key) const override;

 private:
  OSSL_LIB_CTX* libctx_;
};

}  // namespace keystay::x509
