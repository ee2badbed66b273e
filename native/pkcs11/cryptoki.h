// Cryptoki's types and constants (PKCS #11 v3.0, Base Specification), from p11-kit's header.
#pragma once

#define CK_DISABLE_TRUE_FALSE
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include <p11-kit/pkcs11.h>

namespace keystay::pkcs11 {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// The point in time at which an operation gives up, queueing included.
using Deadline = std::chrono::steady_clock::time_point;

// What p11-kit's header of Debian 12 lacks: keys of RFC 7748's curves, which agree and do not sign.
inline constexpr CK_KEY_TYPE kMontgomeryKey = 0x41;                 // CKK_EC_MONTGOMERY
inline constexpr CK_MECHANISM_TYPE kMontgomeryKeyPairGen = 0x1056;  // CKM_EC_MONTGOMERY_KEY_PAIR_GEN

// Where p11-kit's header differs from the OASIS one, the OASIS value.
inline constexpr CK_RV kFipsSelfTestFailed = 0x1B6;
inline constexpr CK_RV kLibraryLoadFailed = 0x1B7;
inline constexpr CK_RV kPinTooWeak = 0x1B8;
inline constexpr CK_RV kTokenResourceExceeded = 0x201;
inline constexpr CK_RV kOperationCancelFailed = 0x202;

}  // namespace keystay::pkcs11
