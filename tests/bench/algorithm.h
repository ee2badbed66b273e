// The signature algorithms that are measured, each as Cryptoki and as libcrypto name it.
#pragma once

#include <span>
#include <string_view>

#include <openssl/types.h>

#include "native/keys/key_spec.h"
#include "native/pkcs11/mechanism.h"

namespace keystay::bench {

struct Algorithm {
  std::string_view name;
  std::string_view alias;  // of the key on the token; algorithms may share one
  std::string_view key_algorithm;
  unsigned key_size;
  std::string_view group_name;
  pkcs11::SignMechanism mechanism;
  bool pss;
};

[[nodiscard]] std::span<const Algorithm> algorithms();
// Throws std::invalid_argument that lists the names.
[[nodiscard]] const Algorithm& algorithm(std::string_view name);

[[nodiscard]] keys::KeySpec key_spec(const Algorithm& algorithm);

// What a TLS 1.3 server signs in CertificateVerify with a SHA-256 suite (RFC 8446, section 4.4.3): 64 spaces,
// a context string, a zero, and the transcript's hash.
[[nodiscard]] std::span<const std::uint8_t> message();

// What C_Sign is given for a SHA-256 digest: the digest, or the DigestInfo around it.
[[nodiscard]] pkcs11::Bytes to_be_signed(const Algorithm& algorithm, pkcs11::ByteView digest);

// PSS with a salt as long as the digest, as TLS has it, where the algorithm is PSS; what OpenSSL does by
// itself is left alone. Throws std::runtime_error.
void set_padding(const Algorithm& algorithm, EVP_PKEY_CTX* context);

}  // namespace keystay::bench
