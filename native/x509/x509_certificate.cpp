#include "native/x509/x509_certificate.h"

#include <algorithm>

#include <time.h>

#include "native/x509/der.h"
#include "native/x509/error_mark.h"
#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using std::chrono::system_clock;

// A clock of nanoseconds ends in the year 2262; RFC 5280, section 4.1.2.5, has 9999 for "no end".
system_clock::time_point to_time_point(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw openssl_error("a date of the certificate is damaged");
  const std::chrono::seconds seconds(::timegm(&parts));
  constexpr auto latest = std::chrono::floor<std::chrono::seconds>(system_clock::duration::max());
  constexpr auto earliest = std::chrono::ceil<std::chrono::seconds>(system_clock::duration::min());
  return system_clock::time_point(std::clamp(seconds, earliest, latest));
}

pkcs11::Bytes name_der(const X509_NAME* name) {
  return to_der([name](unsigned char** out) { return i2d_X509_NAME(name, out); }, "cannot encode a name");
}

// Nothing for the algorithms that no Keystay key has.
std::optional<pkcs11::PublicKey> public_key(const X509* certificate) {
  const X509_PUBKEY* key = X509_get_X509_PUBKEY(certificate);
  const auto spki = to_der([key](unsigned char** out) { return i2d_X509_PUBKEY(key, out); },
                           "cannot encode the public key");
  const ErrorMark mark;
  try {
    return from_spki(spki);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// libcrypto notes in the certificate what it has read of the extensions, and leaves errors where one is
// damaged.
bool is_ca(const X509* certificate) {
  const ErrorMark mark;
  return X509_check_ca(const_cast<X509*>(certificate)) != 0;
}

}  // namespace

X509Certificate parse_x509(pkcs11::ByteView der, OSSL_LIB_CTX* libctx) {
  const ErrorMark mark;
  X509* certificate = X509_new_ex(libctx, nullptr);
  const unsigned char* in = der.data();
  if (certificate == nullptr || d2i_X509(&certificate, &in, static_cast<long>(der.size())) == nullptr) {
    X509_free(certificate);  // null if d2i_X509 has freed it
    return nullptr;
  }
  X509Certificate owned(certificate);
  if (in != der.data() + der.size()) return nullptr;
  return owned;
}

keys::Certificate to_certificate(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return {
      .der = to_der([&](unsigned char** out) { return i2d_X509(certificate, out); },
                    "cannot encode a certificate"),
      .subject = name_der(X509_get_subject_name(certificate)),
      .issuer = name_der(X509_get_issuer_name(certificate)),
      .serial_number = to_der([&](unsigned char** out) { return i2d_ASN1_INTEGER(serial, out); },
                              "cannot encode a serial number"),
      .not_before = to_time_point(X509_get0_notBefore(certificate)),
      .not_after = to_time_point(X509_get0_notAfter(certificate)),
      .public_key = public_key(certificate),
      .is_ca = is_ca(certificate),
  };
}

}  // namespace keystay::x509
