#include "native/pkcs11/unicode.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cwctype>
#include <utility>

#include <locale.h>

#include "native/pkcs11/text.h"

namespace keystay::pkcs11 {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15: the general categories Cc, Cf, Zl, Zp, and Zs without U+0020; Default_Ignorable_Code_Point;
// noncharacters; the empty Braille pattern.
constexpr std::array kInvisible = std::to_array<Range>(
    {{0x0000, 0x001F},   {0x007F, 0x00A0},    {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x0600, 0x0605},
     {0x061C, 0x061C},   {0x06DD, 0x06DD},    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},
     {0x115F, 0x1160},   {0x1680, 0x1680},    {0x17B4, 0x17B5},   {0x180B, 0x180F},   {0x2000, 0x200F},
     {0x2028, 0x202F},   {0x205F, 0x206F},    {0x2800, 0x2800},   {0x3000, 0x3000},   {0x3164, 0x3164},
     {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},    {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
     {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD},  {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
     {0x1D173, 0x1D17A}, {0x1FFFE, 0x1FFFF},  {0x2FFFE, 0x2FFFF}, {0x3FFFE, 0x3FFFF}, {0x4FFFE, 0x4FFFF},
     {0x5FFFE, 0x5FFFF}, {0x6FFFE, 0x6FFFF},  {0x7FFFE, 0x7FFFF}, {0x8FFFE, 0x8FFFF}, {0x9FFFE, 0x9FFFF},
     {0xAFFFE, 0xAFFFF}, {0xBFFFE, 0xBFFFF},  {0xCFFFE, 0xCFFFF}, {0xDFFFE, 0xE0FFF}, {0xEFFFE, 0xEFFFF},
     {0xFFFFE, 0xFFFFF}, {0x10FFFE, 0x10FFFF}});
static_assert(std::is_sorted(kInvisible.begin(), kInvisible.end(),
                             [](const Range& a, const Range& b) { return a.last < b.first; }));

bool is_invisible(char32_t character) {
  const auto range = std::ranges::lower_bound(kInvisible, character, {}, &Range::last);
  return range != kInvisible.end() && character >= range->first;
}

std::string formatted(const char* format, unsigned value) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// glibc has this locale built in (2.35). Never freed: others' destructors may still compare names.
locale_t unicode_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

// By way of the upper case, which letters like the two small sigmas have in common.
char32_t small(char32_t character) {
  if (character < 0x80) {
    return character >= 'A' && character <= 'Z' ? character - 'A' + 'a' : character;
  }
  const locale_t locale = unicode_locale();
  if (!locale) return character;
  return static_cast<char32_t>(
      ::towlower_l(::towupper_l(static_cast<std::wint_t>(character), locale), locale));
}

void append_utf8(std::string& text, char32_t character) {
  const auto put = [&](char32_t octet) { text.push_back(static_cast<char>(octet)); };
  if (character < 0x80) return put(character);
  if (character < 0x800) {
    put(0xC0 | character >> 6U);
  } else if (character < 0x10000) {
    put(0xE0 | character >> 12U);
    put(0x80 | (character >> 6U & 0x3F));
  } else {
    put(0xF0 | character >> 18U);
    put(0x80 | (character >> 12U & 0x3F));
    put(0x80 | (character >> 6U & 0x3F));
  }
  put(0x80 | (character & 0x3F));
}

}  // namespace

std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string characters;
  while (!text.empty()) {
    const std::optional<char32_t> character = take_utf8_character(text);
    if (!character) return std::nullopt;
    characters.push_back(*character);
  }
  return characters;
}

std::optional<char32_t> first_invisible(std::u32string_view text) {
  const auto found = std::ranges::find_if(text, is_invisible);
  return found == text.end() ? std::nullopt : std::optional(*found);
}

std::string code_point_name(char32_t character) {
  return formatted("U+%04X", static_cast<unsigned>(character));
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::string_view before = text;
    const std::optional<char32_t> character = take_utf8_character(text);
    if (!character) {
      shown += formatted("\\x{%02X}", static_cast<std::uint8_t>(text.front()));
      text.remove_prefix(1);
    } else if (is_invisible(*character)) {
      shown += formatted("\\u{%04X}", static_cast<unsigned>(*character));
    } else {
      shown += before.substr(0, before.size() - text.size());
    }
  }
  return shown;
}

std::string case_folded(std::string_view text) {
  std::string folded;
  while (!text.empty()) {
    if (const std::optional<char32_t> character = take_utf8_character(text)) {
      append_utf8(folded, small(*character));
    } else {
      folded.push_back(text.front());
      text.remove_prefix(1);
    }
  }
  return folded;
}

}  // namespace keystay::pkcs11
