#include "native/x509/revocation_list_syntax.h"

#include <openssl/asn1t.h>

// libcrypto's template macros are C.
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"

namespace keystay::x509 {
namespace {

// clang-format off
ASN1_SEQUENCE(TbsCertListSyntax) = {
  ASN1_SIMPLE(TbsCertListSyntax, version, ASN1_INTEGER),
  ASN1_SIMPLE(TbsCertListSyntax, signature, X509_ALGOR),
  ASN1_SIMPLE(TbsCertListSyntax, issuer, X509_NAME),
  ASN1_SIMPLE(TbsCertListSyntax, this_update, ASN1_TIME),
  ASN1_SIMPLE(TbsCertListSyntax, next_update, ASN1_TIME),
  ASN1_SEQUENCE_OF_OPT(TbsCertListSyntax, revoked, X509_REVOKED),
  ASN1_EXP_SEQUENCE_OF(TbsCertListSyntax, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(TbsCertListSyntax)

ASN1_SEQUENCE(CertificateListSyntax) = {
  ASN1_SIMPLE(CertificateListSyntax, tbs, TbsCertListSyntax),
  ASN1_SIMPLE(CertificateListSyntax, algorithm, X509_ALGOR),
  ASN1_SIMPLE(CertificateListSyntax, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CertificateListSyntax)
// clang-format on

}  // namespace

const ASN1_ITEM* tbs_cert_list_item() { return ASN1_ITEM_rptr(TbsCertListSyntax); }

const ASN1_ITEM* certificate_list_item() { return ASN1_ITEM_rptr(CertificateListSyntax); }

}  // namespace keystay::x509
