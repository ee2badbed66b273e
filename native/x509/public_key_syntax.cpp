#include "native/x509/public_key_syntax.h"

#include <openssl/asn1t.h>

// libcrypto's template macros are C.
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"

namespace keystay::x509 {
namespace {

// clang-format off
ASN1_SEQUENCE(SubjectPublicKeyInfoSyntax) = {
  ASN1_SIMPLE(SubjectPublicKeyInfoSyntax, algorithm, X509_ALGOR),
  ASN1_SIMPLE(SubjectPublicKeyInfoSyntax, subject_public_key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SubjectPublicKeyInfoSyntax)

ASN1_SEQUENCE(RsaPublicKeySyntax) = {
  ASN1_SIMPLE(RsaPublicKeySyntax, modulus, ASN1_INTEGER),
  ASN1_SIMPLE(RsaPublicKeySyntax, public_exponent, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(RsaPublicKeySyntax)
// clang-format on

}  // namespace

const ASN1_ITEM* subject_public_key_info_item() { return ASN1_ITEM_rptr(SubjectPublicKeyInfoSyntax); }

const ASN1_ITEM* rsa_public_key_item() { return ASN1_ITEM_rptr(RsaPublicKeySyntax); }

}  // namespace keystay::x509
