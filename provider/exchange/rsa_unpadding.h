// Takes the encryption padding off a block that a token has decrypted (RFC 8017, section 7): libcrypto's own
// checks, which run in constant time, and what must not tell whether the padding was right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "native/pkcs11/cryptoki.h"
#include "provider/signature/digest.h"
#include "provider/software.h"

namespace keystay::provider {

struct Oaep {
  const Digest* hash;
  const Digest* mgf1;
  pkcs11::Bytes label;
};

struct TlsVersions {
  unsigned int client;      // of ClientHello
  unsigned int negotiated;  // what some old clients say instead; 0: not accepted
};

inline constexpr std::size_t kPremasterSize = 48;

// `block` is as long as the modulus in all of these, and `message` has as much room.

// RSAES-OAEP. Nothing if the padding is wrong. Throws Error.
[[nodiscard]] std::optional<std::size_t> unpad_oaep(pkcs11::ByteView block, const Oaep& oaep,
                                                    std::span<std::uint8_t> message, Software& software);

// RSAES-PKCS1-v1_5. Nothing if the padding is wrong, which tells an attacker everything in the end
// (Bleichenbacher): only where the application has asked for that.
[[nodiscard]] std::optional<std::size_t> unpad_pkcs1(pkcs11::ByteView block, std::span<std::uint8_t> message);

// The same with implicit rejection: wrong padding gives a message too, of a length and with bytes that nobody
// can foretell, and always the same for the same ciphertext. Throws Error.
[[nodiscard]] std::size_t unpad_pkcs1_or_substitute(pkcs11::ByteView block, pkcs11::ByteView ciphertext,
                                                    std::span<std::uint8_t> message, Software& software);

// The premaster secret of TLS (RFC 5246, section 7.4.7.1): random bytes if padding, length or version are
// wrong. Throws Error.
void unpad_premaster(pkcs11::ByteView block, TlsVersions versions,
                     std::span<std::uint8_t, kPremasterSize> premaster, Software& software);

}  // namespace keystay::provider
