// What is remembered of a PIN that was tried: never the PIN.
#pragma once

#include <cstdint>

namespace keystay::pkcs11 {

// SipHash of the PIN with a key that is made of the token's names and of a random number of the processes
// that share it. Equal for the same PIN of the same token; never kNoPin.
enum class PinDigest : std::uint64_t {};

inline constexpr PinDigest kNoPin{0};  // a PIN pad's, which this program does not know

}  // namespace keystay::pkcs11
