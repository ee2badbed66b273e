// Times of certificates and of what is said about them.
#pragma once

#include <chrono>

#include <openssl/asn1.h>

namespace keystay::tlsd {

// The clock's nanoseconds end in the year 2262: what is later is that. The epoch if it is not a time.
[[nodiscard]] std::chrono::system_clock::time_point time_point(const ASN1_TIME* time);

}  // namespace keystay::tlsd
