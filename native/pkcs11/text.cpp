#include "native/pkcs11/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace keystay::pkcs11 {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string hex(ByteView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 0x0FU]);
  }
  return text;
}

bool is_utf8(std::string_view text) noexcept {
  struct Range {
    std::uint8_t first, last;  // of the leading byte
    std::uint8_t low, high;    // of the second byte; the others are 80 to BF
    std::size_t size;
  };
  // RFC 3629, section 4.
  constexpr std::array kRanges = std::to_array<Range>({{0x00, 0x7F, 0, 0, 1},
                                                       {0xC2, 0xDF, 0x80, 0xBF, 2},
                                                       {0xE0, 0xE0, 0xA0, 0xBF, 3},
                                                       {0xE1, 0xEC, 0x80, 0xBF, 3},
                                                       {0xED, 0xED, 0x80, 0x9F, 3},
                                                       {0xEE, 0xEF, 0x80, 0xBF, 3},
                                                       {0xF0, 0xF0, 0x90, 0xBF, 4},
                                                       {0xF1, 0xF3, 0x80, 0xBF, 4},
                                                       {0xF4, 0xF4, 0x80, 0x8F, 4}});
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  while (!text.empty()) {
    const auto range = std::find_if(kRanges.begin(), kRanges.end(), [&](const Range& candidate) {
      return byte(0) >= candidate.first && byte(0) <= candidate.last;
    });
    if (range == kRanges.end() || text.size() < range->size) return false;
    if (range->size > 1 && (byte(1) < range->low || byte(1) > range->high)) return false;
    for (std::size_t i = 2; i < range->size; ++i) {
      if ((byte(i) & 0xC0U) != 0x80) return false;
    }
    text.remove_prefix(range->size);
  }
  return true;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace keystay::pkcs11
