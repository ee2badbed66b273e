// Choosing without branching: what depends on a secret takes the same time whichever way it goes.
#pragma once

#include <cstdint>

namespace keystay::provider::constant_time {

// All bits set, or none.
using Mask = std::uint32_t;

// The compiler must not find out that a value is one of two, and branch.
[[nodiscard]] inline std::uint32_t hidden(std::uint32_t value) noexcept {
  __asm__("" : "+r"(value));
  return value;
}

[[nodiscard]] inline Mask is_negative(std::int32_t value) noexcept {
  return Mask{0} - (hidden(static_cast<std::uint32_t>(value)) >> 31);
}
[[nodiscard]] inline Mask is_zero(std::uint32_t value) noexcept {
  return is_negative(static_cast<std::int32_t>(~value & (value - 1)));
}
[[nodiscard]] inline Mask equal(std::uint32_t a, std::uint32_t b) noexcept { return is_zero(a ^ b); }
// Of numbers below 2^31.
[[nodiscard]] inline Mask less(std::uint32_t a, std::uint32_t b) noexcept {
  return is_negative(static_cast<std::int32_t>(a - b));
}
[[nodiscard]] inline std::uint32_t select(Mask mask, std::uint32_t yes, std::uint32_t no) noexcept {
  return (hidden(mask) & yes) | (hidden(~mask) & no);
}

}  // namespace keystay::provider::constant_time
