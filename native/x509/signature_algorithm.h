// The signature algorithms of certificates, requests and CRLs: RFC 8017 and RFC 4055 (RSA, RSASSA-PSS), RFC
// 5758 and NIST (ECDSA, SHA-3), RFC 8410 (Ed25519, Ed448).
#pragma once

#include <string_view>

#include "native/keys/key_spec.h"
#include "native/keys/private_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

enum class SignatureScheme {
  pkcs1,     // RSASSA-PKCS1-v1_5
  pss,       // RSASSA-PSS; the salt is as long as the digest
  elliptic,  // ECDSA and EdDSA
};

// What an RSA key may sign by: one whose SubjectPublicKeyInfo says id-RSASSA-PSS, by that alone.
enum class RsaUse { any, pss_only };

struct SignatureAlgorithm {
  std::string_view name;  // JCA's standard name, keytool's -sigalg
  CK_KEY_TYPE key_type;
  int nid;
  int digest_nid;  // NID_undef: the key signs the message itself
  SignatureScheme scheme;
};

// By its name in any letter case, or, for an empty name, the usual one for the key's type and size; for
// "RSASSA-PSS", with the usual digest. Throws Error if the key cannot make such a signature.
[[nodiscard]] const SignatureAlgorithm& signature_algorithm(std::string_view name,
                                                            const pkcs11::PublicKey& key,
                                                            RsaUse use = RsaUse::any);

// Throws Error, as the function above would, if a key that is made by this specification could not make such
// a signature.
void require_signature_algorithm(std::string_view name, const keys::KeySpec& spec, RsaUse use = RsaUse::any);

// The AlgorithmIdentifier. Throws Error.
[[nodiscard]] X509Algorithm algorithm_identifier(const SignatureAlgorithm& algorithm);

// The signature as X.509 has it: ECDSA-Sig-Value in DER (RFC 3279, section 2.2.3), not r || s. The message is
// hashed here; the token does the private operation only. Throws Error and pkcs11::Error.
[[nodiscard]] pkcs11::Bytes sign(const keys::PrivateKey& key, const SignatureAlgorithm& algorithm,
                                 pkcs11::ByteView message);

}  // namespace keystay::x509
