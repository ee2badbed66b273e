#include "native/x509/rsa_pss_key.h"

#include <algorithm>
#include <utility>

#include "native/x509/der.h"
#include "native/x509/error_mark.h"
#include "native/x509/public_key.h"
#include "native/x509/public_key_syntax.h"
#include "native/x509/x509_certificate.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;

constexpr CK_MECHANISM_TYPE kPssMechanisms[] = {
    CKM_RSA_PKCS_PSS,        CKM_SHA1_RSA_PKCS_PSS,   CKM_SHA224_RSA_PKCS_PSS,
    CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS,
};

bool is_pss(CK_MECHANISM_TYPE mechanism) {
  return std::ranges::find(kPssMechanisms, mechanism) != std::ranges::end(kPssMechanisms);
}

bool only_pss_is_allowed(const keys::Entry& entry) {
  return entry.key.type() == CKK_RSA && !entry.allowed_mechanisms.empty() &&
         std::ranges::all_of(entry.allowed_mechanisms, is_pss);
}

SubjectPublicKeyInfo decoded(ByteView spki) {
  const unsigned char* in = spki.data();
  return SubjectPublicKeyInfo(reinterpret_cast<SubjectPublicKeyInfoSyntax*>(
      ASN1_item_d2i(nullptr, &in, static_cast<long>(spki.size()), subject_public_key_info_item())));
}

Bytes spki_in(const keys::Certificate& certificate) {
  const X509Certificate x509 = parse_x509(certificate.der, nullptr);
  if (!x509) throw openssl_error("cannot decode the certificate");
  return to_der([&](unsigned char** out) { return i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509.get()), out); },
                "cannot encode the certificate's public key");
}

}  // namespace

// Without parameters: any hash function and salt.
Bytes unrestricted_rsa_pss_spki(const pkcs11::PublicKey& key) {
  const SubjectPublicKeyInfo info = decoded(to_spki(key));
  if (!info || X509_ALGOR_set0(info->algorithm, OBJ_nid2obj(NID_rsassaPss), V_ASN1_UNDEF, nullptr) != 1)
    throw openssl_error("cannot encode the RSA-PSS public key");
  return to_der(
      [&](unsigned char** out) {
        return ASN1_item_i2d(reinterpret_cast<ASN1_VALUE*>(info.get()), out, subject_public_key_info_item());
      },
      "cannot encode the RSA-PSS public key");
}

bool is_rsa_pss_spki(ByteView spki) {
  const ErrorMark other_bytes_are_no_error;
  const SubjectPublicKeyInfo info = decoded(spki);
  return info && OBJ_obj2nid(info->algorithm->algorithm) == NID_rsassaPss;
}

std::optional<Bytes> rsa_pss_spki_of(const keys::Entry& entry) {
  if (entry.key.type() != CKK_RSA) return std::nullopt;
  if (!entry.leaf) {
    if (!only_pss_is_allowed(entry)) return std::nullopt;
    return unrestricted_rsa_pss_spki(entry.key.public_key());
  }
  Bytes spki = spki_in(*entry.leaf);
  if (!is_rsa_pss_spki(spki)) return std::nullopt;
  return spki;
}

Bytes spki_of(const keys::Entry& entry) {
  std::optional<Bytes> pss = rsa_pss_spki_of(entry);
  return pss ? *std::move(pss) : to_spki(entry.key.public_key());
}

EvpPkey rsa_pss_public_key(ByteView spki, OSSL_LIB_CTX* libctx) {
  const unsigned char* in = spki.data();
  EvpPkey key(d2i_PUBKEY_ex(nullptr, &in, static_cast<long>(spki.size()), libctx, nullptr));
  if (!key || EVP_PKEY_is_a(key.get(), "RSA-PSS") != 1)
    throw openssl_error("cannot use the RSA-PSS public key");
  return key;
}

}  // namespace keystay::x509
