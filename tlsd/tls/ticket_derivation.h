// Ticket keys that a key on a token gives, so that all who may use that key open one another's tickets
// without a secret in a file. docs/design/tlsd.md has the reasons.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tlsd/tls/openssl_handles.h"
#include "tlsd/tls/ticket_key.h"

namespace keystay::tlsd {

// A stretch of time in which one key seals: `number` counts periods of this length since 1970 (UTC).
struct TicketPeriod {
  std::int64_t number;
  std::chrono::milliseconds length;
};

// What the key agrees with: a point that is hashed from the period, by try-and-increment on a curve of
// Weierstrass' form with cofactor 1, or a coordinate of X25519. Nobody knows its discrete logarithm, without
// which the public key says nothing of the shared secret. Throws CryptoError for other keys.
[[nodiscard]] KeyHandle hashed_public_key(OSSL_LIB_CTX* library, const EVP_PKEY* key,
                                          const TicketPeriod& period);

// ECDH of the key of this name (as load_private_key takes it) with the point of the period, then HKDF
// (RFC 5869): one call of the token. Throws CryptoError.
void derive_ticket_key(OSSL_LIB_CTX* library, const std::string& name, const TicketPeriod& period,
                       TicketKey& result);

}  // namespace keystay::tlsd
