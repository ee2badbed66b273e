#include "native/x509/revocation_list.h"

#include <charconv>
#include <string>
#include <utility>

#include <openssl/err.h>

#include "native/x509/der.h"
#include "native/x509/distinguished_name.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/issued_certificate.h"
#include "native/x509/revocation_list_syntax.h"
#include "native/x509/revocation_list_text.h"
#include "native/x509/signature_bits.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using Revoked = Owned<X509_REVOKED, X509_REVOKED_free>;
using Time = Owned<ASN1_TIME, ASN1_TIME_free>;

constexpr int kVersion2 = 1;
// RFC 5280, section 5.3.1: 7 is not used, and removeFromCRL is for delta CRLs.
constexpr int kUnusedReason = 7;
constexpr int kRemoveFromCrl = 8;
constexpr int kLastReason = 10;

[[noreturn]] void fail() { throw openssl_error("cannot make the CRL"); }

std::time_t seconds(std::chrono::sys_seconds time) {
  return static_cast<std::time_t>(time.time_since_epoch().count());
}

void set_time(ASN1_TIME*& field, std::chrono::sys_seconds time) {
  ASN1_TIME_free(std::exchange(field, ASN1_TIME_set(nullptr, seconds(time))));
  if (field == nullptr) fail();
}

Revoked revoked_entry(const Revocation& revocation, std::chrono::sys_seconds when) {
  Revoked entry(X509_REVOKED_new());
  const unsigned char* in = revocation.serial_number.data();
  const Asn1Integer serial(
      d2i_ASN1_INTEGER(nullptr, &in, static_cast<long>(revocation.serial_number.size())));
  const Time date(ASN1_TIME_set(nullptr, seconds(when)));
  if (!entry || !serial || !date || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), date.get()) != 1) {
    fail();
  }
  if (!revocation.reason) return entry;
  const Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> reason(ASN1_ENUMERATED_new());
  if (!reason || ASN1_ENUMERATED_set(reason.get(), *revocation.reason) != 1 ||
      X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, reason.get(), 0, 0) != 1) {
    fail();
  }
  return entry;
}

void push(STACK_OF(X509_EXTENSION) * extensions, X509Extension extension) {
  if (!extension || sk_X509_EXTENSION_push(extensions, extension.get()) <= 0) fail();
  static_cast<void>(extension.release());  // the stack owns it now
}

void add_extensions(TbsCertListSyntax& tbs, const keys::Certificate& ca, std::chrono::sys_seconds number) {
  const Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(AUTHORITY_KEYID_new());
  const Bytes id = key_identifier_of(ca);
  const Asn1Integer crl_number(ASN1_INTEGER_new());
  if (!authority || !crl_number) fail();
  authority->keyid = ASN1_OCTET_STRING_new();
  if (authority->keyid == nullptr ||
      ASN1_OCTET_STRING_set(authority->keyid, id.data(), static_cast<int>(id.size())) != 1 ||
      ASN1_INTEGER_set_int64(crl_number.get(), seconds(number)) != 1) {
    fail();
  }
  if (tbs.extensions == nullptr) tbs.extensions = sk_X509_EXTENSION_new_null();
  push(tbs.extensions, X509Extension(X509V3_EXT_i2d(NID_authority_key_identifier, 0, authority.get())));
  push(tbs.extensions, X509Extension(X509V3_EXT_i2d(NID_crl_number, 0, crl_number.get())));
}

void add_revoked(TbsCertListSyntax& tbs, const std::vector<Revocation>& revoked,
                 std::chrono::sys_seconds when) {
  if (revoked.empty()) return;  // section 5.1.2.6: the list is absent then
  tbs.revoked = sk_X509_REVOKED_new_null();
  for (const Revocation& revocation : revoked) {
    Revoked entry = revoked_entry(revocation, when);
    if (sk_X509_REVOKED_push(tbs.revoked, entry.get()) <= 0) fail();
    static_cast<void>(entry.release());  // the stack owns it now
  }
}

CertificateList unsigned_list(const keys::Certificate& ca, const std::vector<Revocation>& revoked,
                              Validity validity, const SignatureAlgorithm& algorithm) {
  CertificateList list(reinterpret_cast<CertificateListSyntax*>(ASN1_item_new(certificate_list_item())));
  if (!list || ASN1_INTEGER_set(list->tbs->version, kVersion2) != 1) fail();
  const X509Algorithm identifier = algorithm_identifier(algorithm);
  if (X509_ALGOR_copy(list->tbs->signature, identifier.get()) != 1 ||
      X509_ALGOR_copy(list->algorithm, identifier.get()) != 1) {
    fail();
  }
  X509_NAME_free(std::exchange(list->tbs->issuer, decode_name(ca.subject).release()));
  set_time(list->tbs->this_update, validity.not_before);
  set_time(list->tbs->next_update, validity.not_before + validity.length);
  add_revoked(*list->tbs, revoked, validity.not_before);
  add_extensions(*list->tbs, ca, validity.not_before);
  return list;
}

Bytes encoded(const void* value, const ASN1_ITEM* item) {
  return to_der(
      [&](unsigned char** out) { return ASN1_item_i2d(static_cast<const ASN1_VALUE*>(value), out, item); },
      "cannot encode the CRL");
}

void require_verified(const Bytes& der, const keys::Certificate& ca) {
  const unsigned char* in = der.data();
  const X509Crl crl(d2i_X509_CRL(nullptr, &in, static_cast<long>(der.size())));
  const X509Certificate issuer = parse_x509(ca.der, nullptr);
  EVP_PKEY* key = issuer ? X509_get0_pubkey(issuer.get()) : nullptr;
  if (!crl || key == nullptr || X509_CRL_verify(crl.get(), key) != 1)
    throw openssl_error("the token made a signature that its own public key does not verify");
}

[[noreturn]] void refuse(std::string_view text, const std::string& what) {
  throw Error("revocation \"" + std::string(text) + "\": " + what);
}

int reason_in(std::string_view text, std::string_view digits) {
  int reason = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), reason);
  if (error != std::errc() || end != digits.data() + digits.size() || reason < 1 || reason > kLastReason ||
      reason == kUnusedReason || reason == kRemoveFromCrl) {
    refuse(text,
           "the reason is one of 1 keyCompromise, 2 cACompromise, 3 affiliationChanged, 4 superseded, 5 "
           "cessationOfOperation, 6 certificateHold, 9 privilegeWithdrawn, 10 aACompromise");
  }
  return reason;
}

}  // namespace

Revocation parse_revocation(std::string_view text) {
  const ErrorsSetAside others;
  const std::size_t colon = text.find(':');
  const std::string number(text.substr(0, colon));
  BIGNUM* value = nullptr;
  const bool is_hex = number.starts_with("0x") || number.starts_with("0X");
  const int digits = is_hex ? BN_hex2bn(&value, number.c_str() + 2) : BN_dec2bn(&value, number.c_str());
  const BigNumber owned(value);
  if (digits <= 0 || static_cast<std::size_t>(digits) != number.size() - (is_hex ? 2 : 0))
    refuse(text, "expected a serial number, 12345 or 0x1f, and perhaps a reason: 12345:1");
  const Asn1Integer serial(BN_to_ASN1_INTEGER(value, nullptr));
  if (!serial) fail();
  Revocation revocation{
      .serial_number = to_der([&](unsigned char** out) { return i2d_ASN1_INTEGER(serial.get(), out); },
                              "cannot encode a serial number"),
      .reason = std::nullopt};
  if (colon != std::string_view::npos) revocation.reason = reason_in(text, text.substr(colon + 1));
  return revocation;
}

Bytes revocation_list(const keys::Entry& ca, const std::vector<Revocation>& revoked, Validity validity,
                      const SignatureAlgorithm& algorithm) {
  const ErrorsSetAside others;
  const CertificateList list = unsigned_list(*ca.leaf, revoked, validity, algorithm);
  const Bytes signature = sign(ca.key, algorithm, encoded(list->tbs, tbs_cert_list_item()));
  ASN1_BIT_STRING_free(std::exchange(list->signature, signature_bits(signature).release()));
  Bytes der = encoded(list.get(), certificate_list_item());
  require_verified(der, *ca.leaf);
  return der;
}

}  // namespace keystay::x509
