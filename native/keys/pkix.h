// What the alias rules need from an X.509 library. native/x509 implements it with libcrypto, java/ with the
// JDK, so that the rules themselves stand once, in KeyStore, and link neither.
#pragma once

#include <optional>

#include "native/keys/certificate.h"

namespace keystay::keys {

class Pkix {
 public:
  Pkix() = default;
  Pkix(const Pkix&) = delete;
  Pkix& operator=(const Pkix&) = delete;
  virtual ~Pkix() = default;

  // Takes one DER certificate apart; nothing if it is not one (a token may hold anything).
  [[nodiscard]] virtual std::optional<Certificate> decode(pkcs11::ByteView der) const = 0;

  // True if the certificate's signature verifies with the issuer's public key (RFC 5280, section 6.1.3
  // (a)(1)).
  [[nodiscard]] virtual bool issued_by(const Certificate& certificate, const Certificate& issuer) const = 0;

  // The key with its point in the uncompressed form (SEC 1, section 2.3.3), from that or the compressed one.
  // Nothing if no point of the curve has these coordinates, or the library does not know the curve.
  [[nodiscard]] virtual std::optional<pkcs11::EcPublicKey> uncompressed(
      const pkcs11::EcPublicKey& key) const = 0;

  // SHA-1 of the subject public key bits (RFC 5280, section 4.2.1.2, method 1): Keystay's CKA_ID.
  [[nodiscard]] virtual pkcs11::Bytes key_identifier(const pkcs11::PublicKey& key) const = 0;
};

}  // namespace keystay::keys
