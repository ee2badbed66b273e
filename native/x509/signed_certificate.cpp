#include "native/x509/signed_certificate.h"

#include "native/x509/der.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/signature_bits.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

constexpr int kSerialBits = 127;  // positive, and within the 20 octets of RFC 5280, section 4.1.2.2

[[noreturn]] void fail() { throw openssl_error("cannot make the certificate"); }

void set_random_serial(X509* certificate) {
  const BigNumber number(BN_new());
  if (!number || BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    fail();
  }
}

void set_validity(X509* certificate, Validity validity) {
  // Not by system_clock, whose nanoseconds end in the year 2262.
  const auto seconds = [](std::chrono::sys_seconds time) {
    return static_cast<std::time_t>(time.time_since_epoch().count());
  };
  const std::chrono::sys_seconds not_after = validity.not_before + validity.length;
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(validity.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(not_after)) == nullptr) {
    fail();
  }
}

void add_extensions(X509* certificate, const X509Extensions& extensions) {
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.get()); ++i) {
    if (X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions.get(), i), -1) != 1) fail();
  }
}

// libcrypto sets both AlgorithmIdentifiers only when it signs itself, and has no setter for a signature made
// elsewhere; what its getters return are members of the certificate that we own.
void set_algorithm(X509* certificate, const SignatureAlgorithm& algorithm) {
  const X509Algorithm identifier = algorithm_identifier(algorithm);
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, certificate);
  const X509_ALGOR* inner = X509_get0_tbs_sigalg(certificate);
  if (X509_ALGOR_copy(const_cast<X509_ALGOR*>(inner), identifier.get()) != 1 ||
      X509_ALGOR_copy(const_cast<X509_ALGOR*>(outer), identifier.get()) != 1) {
    fail();
  }
}

void set_signature(X509* certificate, const pkcs11::Bytes& signature) {
  const ASN1_BIT_STRING* bits = nullptr;
  X509_get0_signature(&bits, nullptr, certificate);
  const BitString made = signature_bits(signature);
  auto* member = const_cast<ASN1_BIT_STRING*>(bits);
  if (ASN1_STRING_copy(member, made.get()) != 1) fail();
  member->flags = made->flags;
}

X509Certificate unsigned_certificate(const CertificateContent& content) {
  X509Certificate certificate(X509_new());
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_subject_name(certificate.get(), content.subject.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), content.issuer.get()) != 1 ||
      X509_set_pubkey(certificate.get(), content.public_key.get()) != 1) {
    fail();
  }
  set_random_serial(certificate.get());
  set_validity(certificate.get(), content.validity);
  add_extensions(certificate.get(), content.extensions);
  return certificate;
}

}  // namespace

keys::Certificate signed_certificate(const CertificateContent& content, const keys::PrivateKey& issuer,
                                     EVP_PKEY* issuer_key, const SignatureAlgorithm& algorithm) {
  const ErrorsSetAside others;
  const X509Certificate certificate = unsigned_certificate(content);
  set_algorithm(certificate.get(), algorithm);
  const auto to_be_signed =
      to_der([&](unsigned char** out) { return i2d_re_X509_tbs(certificate.get(), out); },
             "cannot encode the certificate");
  set_signature(certificate.get(), sign(issuer, algorithm, to_be_signed));
  if (X509_verify(certificate.get(), issuer_key) != 1)
    throw openssl_error("the token made a signature that its own public key does not verify");
  return to_certificate(certificate.get());
}

}  // namespace keystay::x509
