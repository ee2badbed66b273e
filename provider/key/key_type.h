// The kinds of key that this provider holds, and the names by which libcrypto knows them.
#pragma once

#include <string_view>

#include <openssl/core_dispatch.h>

#include "native/pkcs11/cryptoki.h"

namespace keystay::provider {

// The property definition of everything in this provider.
inline constexpr char kProperties[] = "provider=keystay";

// `signature` is a name that no other provider has: libcrypto then comes straight to this one, instead of
// trying first to export the private key to every other provider that knows the algorithm, on each signature.
struct KeyType {
  const char* names;         // keymgmt: what EVP_PKEY_is_a answers to
  const char* algorithm;     // the first of them, also that of the default provider
  const char* signature;     // OSSL_OP_SIGNATURE; null where there is none
  const char* key_exchange;  // OSSL_OP_KEYEXCH; null where there is none
  const char* cipher;        // OSSL_OP_ASYM_CIPHER
  CK_KEY_TYPE token_type;    // CKA_KEY_TYPE
  int required;              // what a complete key of this kind consists of: OSSL_KEYMGMT_SELECT_…
  std::string_view curve{};  // pkcs11::Curve::name, where the curve is the algorithm
};

inline constexpr int kKeyPair = OSSL_KEYMGMT_SELECT_KEYPAIR;
inline constexpr int kDomainParameters = OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS;

inline constexpr KeyType kRsa{"RSA:rsaEncryption:1.2.840.113549.1.1.1",
                              "RSA",
                              "KEYSTAY-RSA",
                              nullptr,
                              "KEYSTAY-RSA",
                              CKK_RSA,
                              kKeyPair};
// Its operations are those of RSA: the default provider's key tells them what it is for.
inline constexpr KeyType kRsaPss{"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10",
                                 "RSA-PSS",
                                 "KEYSTAY-RSA",
                                 nullptr,
                                 "KEYSTAY-RSA",
                                 CKK_RSA,
                                 kKeyPair};
inline constexpr KeyType kEc{
    "EC:id-ecPublicKey:1.2.840.10045.2.1", "EC", "KEYSTAY-EC", "KEYSTAY-EC", nullptr, CKK_EC,
    kKeyPair | kDomainParameters};
inline constexpr KeyType kEd25519{"ED25519:1.3.101.112", "ED25519", "KEYSTAY-ED25519", nullptr, nullptr,
                                  CKK_EC_EDWARDS,        kKeyPair,  "Ed25519"};
inline constexpr KeyType kEd448{"ED448:1.3.101.113", "ED448",  "KEYSTAY-ED448", nullptr, nullptr,
                                CKK_EC_EDWARDS,      kKeyPair, "Ed448"};
inline constexpr KeyType kX25519{"X25519:1.3.101.110",   "X25519", nullptr, "KEYSTAY-X25519", nullptr,
                                 pkcs11::kMontgomeryKey, kKeyPair, "X25519"};

}  // namespace keystay::provider
