#include "native/x509/certificate_text.h"

#include <array>

#include <time.h>

#include "native/pkcs11/curve.h"
#include "native/x509/displayed_name.h"
#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_text.h"
#include "native/x509/joined.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

std::string curve_name(const pkcs11::Bytes& parameters) {
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  return std::string(curve != nullptr ? curve->name : "unknown curve");
}

}  // namespace

std::string fingerprint(const keys::Certificate& certificate, const char* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, digest, nullptr, certificate.der.data(), certificate.der.size(), bytes.data(),
                   &size) != 1) {
    throw openssl_error("cannot compute the fingerprint of a certificate");
  }
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kHexDigits[bytes[i] >> 4];
    text += kHexDigits[bytes[i] & 0x0f];
  }
  return text;
}

std::string describe_key(const pkcs11::PublicKey& key) {
  if (const auto* rsa = std::get_if<pkcs11::RsaPublicKey>(&key)) {
    return std::to_string(rsa->modulus.size() * 8) + "-bit RSA key";
  }
  if (const auto* ec = std::get_if<pkcs11::EcPublicKey>(&key))
    return "EC (" + curve_name(ec->parameters) + ") key";
  const auto* edwards = std::get_if<pkcs11::EdwardsPublicKey>(&key);
  return curve_name(edwards ? edwards->parameters : std::get<pkcs11::MontgomeryPublicKey>(key).parameters) +
         " key";
}

std::string describe_time(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  std::array<char, 64> text{};
  if (::gmtime_r(&seconds, &parts) == nullptr) throw Error("a date of the certificate is out of range");
  std::strftime(text.data(), text.size(), "%a %b %d %H:%M:%S UTC %Y", &parts);
  return text.data();
}

std::string describe_certificate(const keys::Certificate& certificate) {
  const X509Certificate parsed = parse_x509(certificate.der, nullptr);
  if (!parsed) throw Error("a certificate is damaged");
  const ErrorsSetAside others;
  return joined("Owner: ", displayed_name(X509_get_subject_name(parsed.get())),
                "\nIssuer: ", displayed_name(X509_get_issuer_name(parsed.get())),
                "\nSerial number: ", displayed_number(X509_get0_serialNumber(parsed.get())),
                "\nValid from: ", displayed_time(X509_get0_notBefore(parsed.get())),
                " until: ", displayed_time(X509_get0_notAfter(parsed.get())),
                "\nCertificate fingerprints:\n\t SHA1: ", fingerprint(certificate, "SHA1"),
                "\n\t SHA256: ", fingerprint(certificate, "SHA256"), "\nSignature algorithm name: ",
                displayed_signature_algorithm(X509_get0_tbs_sigalg(parsed.get())),
                "\nSubject Public Key Algorithm: ", displayed_key(X509_get_X509_PUBKEY(parsed.get())),
                "\nVersion: ", X509_get_version(parsed.get()) + 1, "\n",
                describe_extensions(X509_get0_extensions(parsed.get()), "Extensions: "));
}

}  // namespace keystay::x509
