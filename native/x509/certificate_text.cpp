#include "native/x509/certificate_text.h"

#include <array>

#include <time.h>

#include "native/pkcs11/curve.h"
#include "native/pkcs11/text.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/error.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

std::string curve_name(const pkcs11::Bytes& parameters) {
  const pkcs11::Curve* curve = pkcs11::find_curve_by_parameters(parameters);
  return std::string(curve != nullptr ? curve->name : "unknown curve");
}

std::string serial_number(const X509* certificate) {
  const BigNumber number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (!number) throw openssl_error("cannot read the serial number");
  pkcs11::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return (BN_is_negative(number.get()) != 0 ? "-" : "") + (bytes.empty() ? "0" : pkcs11::hex(bytes));
}

// An algorithm by its long name, or its dotted OID.
std::string algorithm_name(const ASN1_OBJECT* object) {
  std::array<char, 128> name{};
  OBJ_obj2txt(name.data(), static_cast<int>(name.size()), object, 0);
  return name.data();
}

std::string signature_algorithm_name(const X509* certificate) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, X509_get0_tbs_sigalg(certificate));
  return algorithm_name(object);
}

std::string key_algorithm(const keys::Certificate& certificate, const X509* parsed) {
  if (certificate.public_key) return describe_key(*certificate.public_key);
  ASN1_OBJECT* object = nullptr;
  X509_PUBKEY_get0_param(&object, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(parsed));
  return algorithm_name(object);
}

std::string extensions(const X509* certificate) {
  const STACK_OF(X509_EXTENSION)* stack = X509_get0_extensions(certificate);
  if (stack == nullptr || sk_X509_EXTENSION_num(stack) == 0) return "";
  const InputOutput memory(BIO_new(BIO_s_mem()));
  if (!memory || X509V3_extensions_print(memory.get(), nullptr, stack, X509V3_EXT_DUMP_UNKNOWN, 1) != 1) {
    throw openssl_error("cannot read the extensions");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  std::string text = "Extensions:\n" + std::string(data, static_cast<std::size_t>(size));
  if (!text.ends_with('\n')) text += '\n';
  return text;
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
  return "Owner: " + format_name(certificate.subject) + "\nIssuer: " + format_name(certificate.issuer) +
         "\nSerial number: " + serial_number(parsed.get()) +
         "\nValid from: " + describe_time(certificate.not_before) +
         " until: " + describe_time(certificate.not_after) +
         "\nCertificate fingerprints:\n\t SHA1: " + fingerprint(certificate, "SHA1") +
         "\n\t SHA256: " + fingerprint(certificate, "SHA256") +
         "\nSignature algorithm name: " + signature_algorithm_name(parsed.get()) +
         "\nSubject Public Key Algorithm: " + key_algorithm(certificate, parsed.get()) +
         "\nVersion: " + std::to_string(X509_get_version(parsed.get()) + 1) + "\n" + extensions(parsed.get());
}

}  // namespace keystay::x509
