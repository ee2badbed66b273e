// The ASN.1 of public keys: SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) and RSAPublicKey (RFC 8017,
// A.1.1). libcrypto's own types for them try every provider's decoders on the key; these only read and write
// the syntax.
#pragma once

#include <memory>

#include <openssl/asn1.h>
#include <openssl/x509.h>

namespace keystay::x509 {

struct SubjectPublicKeyInfoSyntax {
  X509_ALGOR* algorithm;
  ASN1_BIT_STRING* subject_public_key;
};

struct RsaPublicKeySyntax {
  ASN1_INTEGER* modulus;
  ASN1_INTEGER* public_exponent;
};

[[nodiscard]] const ASN1_ITEM* subject_public_key_info_item();
[[nodiscard]] const ASN1_ITEM* rsa_public_key_item();

template <auto item>
struct FreeSyntax {
  template <typename Syntax>
  void operator()(Syntax* syntax) const noexcept {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(syntax), item());
  }
};
using SubjectPublicKeyInfo =
    std::unique_ptr<SubjectPublicKeyInfoSyntax, FreeSyntax<subject_public_key_info_item>>;
using RsaPublicKeyValue = std::unique_ptr<RsaPublicKeySyntax, FreeSyntax<rsa_public_key_item>>;

}  // namespace keystay::x509
