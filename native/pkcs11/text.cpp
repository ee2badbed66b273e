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

std::optional<char32_t> take_utf8_character(std::string_view& rest) noexcept {
  struct Form {
    std::uint8_t first, last;  // of the leading byte
    std::uint8_t low, high;    // of the second byte; the others are 80 to BF
    std::size_t size;
    std::uint8_t bits;  // of the leading byte that belong to the character
  };
  // RFC 3629, section 4.
  constexpr std::array kForms = std::to_array<Form>({{0x00, 0x7F, 0, 0, 1, 0x7F},
                                                     {0xC2, 0xDF, 0x80, 0xBF, 2, 0x1F},
                                                     {0xE0, 0xE0, 0xA0, 0xBF, 3, 0x0F},
                                                     {0xE1, 0xEC, 0x80, 0xBF, 3, 0x0F},
                                                     {0xED, 0xED, 0x80, 0x9F, 3, 0x0F},
                                                     {0xEE, 0xEF, 0x80, 0xBF, 3, 0x0F},
                                                     {0xF0, 0xF0, 0x90, 0xBF, 4, 0x07},
                                                     {0xF1, 0xF3, 0x80, 0xBF, 4, 0x07},
                                                     {0xF4, 0xF4, 0x80, 0x8F, 4, 0x07}});
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
  if (rest.empty()) return std::nullopt;
  const auto form = std::find_if(kForms.begin(), kForms.end(), [&](const Form& candidate) {
    return byte(0) >= candidate.first && byte(0) <= candidate.last;
  });
  if (form == kForms.end() || rest.size() < form->size) return std::nullopt;
  if (form->size > 1 && (byte(1) < form->low || byte(1) > form->high)) return std::nullopt;
  char32_t character = byte(0) & form->bits;
  for (std::size_t i = 1; i < form->size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return std::nullopt;
    character = character << 6U | (byte(i) & 0x3FU);
  }
  rest.remove_prefix(form->size);
  return character;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    if (!take_utf8_character(text)) return false;
  }
  return true;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace keystay::pkcs11
