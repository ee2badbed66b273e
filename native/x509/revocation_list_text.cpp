#include "native/x509/revocation_list_text.h"

#include <array>
#include <ctime>

#include <openssl/pem.h>

#include "native/x509/der.h"
#include "native/x509/displayed_name.h"
#include "native/x509/error_mark.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/extension_text.h"
#include "native/x509/hex_dump.h"
#include "native/x509/joined.h"
#include "native/x509/pem_block.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using pkcs11::ByteView;

X509Crl decode(ByteView der) {
  const ErrorMark other_bytes_are_no_error;
  const unsigned char* in = der.data();
  return X509Crl(d2i_X509_CRL(nullptr, &in, static_cast<long>(der.size())));
}

std::string entry_text(X509_REVOKED* entry) {
  const STACK_OF(X509_EXTENSION)* extensions = X509_REVOKED_get0_extensions(entry);
  std::string text = joined("SerialNumber: ", displayed_bytes(X509_REVOKED_get0_serialNumber(entry)),
                            "  On: ", displayed_time(X509_REVOKED_get0_revocationDate(entry)));
  if (const int count = sk_X509_EXTENSION_num(extensions); count > 0) {
    text += joined("\n    CRL Entry Extensions: ", count);
    for (int i = 0; i < count; ++i)
      text += joined("\n    [", i + 1, "]: ", describe_extension(sk_X509_EXTENSION_value(extensions, i)));
  }
  return text + "\n";
}

std::string revoked_text(X509_CRL* crl) {
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  const int count = sk_X509_REVOKED_num(revoked);
  if (count <= 0) return "\nNO certificates have been revoked\n";
  std::string text = joined("\nRevoked Certificates: ", count);
  for (int i = 0; i < count; ++i)
    text += joined("\n[", i + 1, "] ", entry_text(sk_X509_REVOKED_value(revoked, i)));
  return text;
}

std::string extensions_text(const X509_CRL* crl) {
  const STACK_OF(X509_EXTENSION)* extensions = X509_CRL_get0_extensions(crl);
  const int count = sk_X509_EXTENSION_num(extensions);
  if (count <= 0) return "";
  std::string text = joined("\nCRL Extensions: ", count);
  for (int i = 0; i < count; ++i)
    text += joined("\n[", i + 1, "]: ", describe_extension(sk_X509_EXTENSION_value(extensions, i)));
  return text;
}

std::string oid_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return dotted(object);
}

// RFC 3339, in UTC.
std::string moment(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) throw Error("a date of the CRL is none");
  std::array<char, sizeof "2026-11-21T09:37:21Z"> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

std::vector<X509Crl> read_revocation_lists(std::string_view content) {
  const ErrorsSetAside others;
  std::vector<X509Crl> lists;
  if (X509Crl crl = decode({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()})) {
    lists.push_back(std::move(crl));
    return lists;
  }
  PemReader reader(content);
  while (const auto block = reader.next()) {
    if (block->label() != PEM_STRING_X509_CRL) continue;
    X509Crl crl = decode(block->der());
    if (!crl) throw Error("a CRL in it is damaged");
    lists.push_back(std::move(crl));
  }
  if (lists.empty()) throw Error("there is no CRL in it: expected PEM or DER");
  return lists;
}

std::string describe_revocation_list(X509_CRL* crl) {
  const ErrorsSetAside others;
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl, &signature, &algorithm);
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  return joined(
      "X.509 CRL v", X509_CRL_get_version(crl) + 1,
      "\nSignature Algorithm: ", displayed_signature_algorithm(algorithm), ", OID=", oid_of(algorithm),
      "\nIssuer: ", displayed_name(X509_CRL_get_issuer(crl)),
      "\n\nThis Update: ", displayed_time(X509_CRL_get0_lastUpdate(crl)), "\n",
      next != nullptr ? "Next Update: " + displayed_time(next) + "\n" : "", revoked_text(crl),
      extensions_text(crl), "\nSignature:\n",
      hex_dump({ASN1_STRING_get0_data(signature), static_cast<std::size_t>(ASN1_STRING_length(signature))}),
      "\n\n");
}

RevocationListSummary summary_of(X509_CRL* crl) {
  const ErrorsSetAside others;
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  RevocationListSummary summary{.issuer = displayed_name(X509_CRL_get_issuer(crl)),
                                .this_update = moment(X509_CRL_get0_lastUpdate(crl)),
                                .next_update = next != nullptr ? moment(next) : "",
                                .revoked = {}};
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(revoked, i);
    summary.revoked.push_back({displayed_bytes(X509_REVOKED_get0_serialNumber(entry)),
                               moment(X509_REVOKED_get0_revocationDate(entry))});
  }
  return summary;
}

std::string signing_key(X509_CRL* crl, const keys::Certificate& certificate) {
  const ErrorMark others_have_not_signed_it;
  const X509Certificate x509 = parse_x509(certificate.der, nullptr);
  EVP_PKEY* key = x509 ? X509_get0_pubkey(x509.get()) : nullptr;
  if (key == nullptr || X509_CRL_verify(crl, key) != 1) return "";
  return displayed_key(X509_get_X509_PUBKEY(x509.get()));
}

pkcs11::Bytes der_of(const X509_CRL* crl) {
  return to_der([&](unsigned char** out) { return i2d_X509_CRL(crl, out); }, "cannot encode a CRL");
}

}  // namespace keystay::x509
