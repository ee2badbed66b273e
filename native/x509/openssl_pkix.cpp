#include "native/x509/openssl_pkix.h"

#include "native/x509/ec_point.h"
#include "native/x509/error.h"
#include "native/x509/error_mark.h"
#include "native/x509/public_key.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {

std::optional<keys::Certificate> OpenSslPkix::decode(pkcs11::ByteView der) const {
  const ErrorMark mark;
  const X509Certificate certificate = parse_x509(der, libctx_);
  if (!certificate) return std::nullopt;
  try {
    return to_certificate(certificate.get());
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool OpenSslPkix::issued_by(const keys::Certificate& certificate, const keys::Certificate& issuer) const {
  const ErrorMark mark;
  const X509Certificate child = parse_x509(certificate.der, libctx_);
  const X509Certificate parent = parse_x509(issuer.der, libctx_);
  if (!child || !parent) return false;
  EVP_PKEY* key = X509_get0_pubkey(parent.get());
  return key != nullptr && X509_verify(child.get(), key) == 1;
}

std::optional<pkcs11::EcPublicKey> OpenSslPkix::uncompressed(const pkcs11::EcPublicKey& key) const {
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(key.parameters);
  std::optional<pkcs11::Bytes> point = curve ? uncompressed_point(key.point, *curve) : std::nullopt;
  if (!point) return std::nullopt;
  return pkcs11::EcPublicKey{key.parameters, *std::move(point)};
}

pkcs11::Bytes OpenSslPkix::key_identifier(const pkcs11::PublicKey& key) const {
  const pkcs11::Bytes bits = subject_public_key_bits(key);
  pkcs11::Bytes digest(EVP_MAX_MD_SIZE);
  std::size_t size = 0;
  if (EVP_Q_digest(libctx_, "SHA1", nullptr, bits.data(), bits.size(), digest.data(), &size) != 1) {
    throw openssl_error("cannot compute the key identifier");
  }
  digest.resize(size);
  return digest;
}

}  // namespace keystay::x509
