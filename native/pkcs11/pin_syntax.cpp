#include "native/pkcs11/pin_syntax.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "native/pkcs11/text.h"

namespace keystay::pkcs11 {
namespace {

constexpr char32_t kReplacement = 0xFFFD;  // what decoders put in the place of what they could not read

struct Range {
  char32_t first, last;
};

// The Unicode Character Database, version 15: what is no ASCII character and has
// Default_Ignorable_Code_Point, or one of the general categories Zs, Zl, Zp and Cf, as far as it leaves no
// mark. And U+2800, a blank.
constexpr std::array kUnseen = std::to_array<Range>(
    {{0x00A0, 0x00A0},  {0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},
     {0x1680, 0x1680},  {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2000, 0x200F},   {0x2028, 0x202F},
     {0x205F, 0x206F},  {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},
     {0xFEFF, 0xFEFF},  {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
     {0xE0000, 0xE0FFF}});

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

bool is_unseen(char32_t code) {
  return std::ranges::any_of(kUnseen,
                             [&](const Range& range) { return range.first <= code && code <= range.last; });
}

const char* fault_of(char32_t code) {
  if (is_control(code)) return "has a control character, such as a zero byte or the end of a line,";
  if (is_unseen(code)) return "has an invisible character or an unusual blank";
  return code == kReplacement ? "has the mark of a character that could not be read" : nullptr;
}

std::string at(std::string what, std::size_t offset) {
  return std::move(what) + " at byte offset " + std::to_string(offset);
}

std::string fault_of_characters(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t offset = text.size() - rest.size();
    const std::optional<char32_t> code = take_utf8_character(rest);
    if (!code) return at("is not UTF-8", offset);
    if (const char* fault = fault_of(*code)) return at(fault, offset);
  }
  return {};
}

}  // namespace

std::string fault_of_pin(ByteView pin) {
  const auto begins_with = [&](std::initializer_list<std::uint8_t> mark) {
    return pin.size() >= mark.size() && std::equal(mark.begin(), mark.end(), pin.begin());
  };
  if (pin.empty()) return "is empty";
  if (begins_with({0xEF, 0xBB, 0xBF})) return "begins with a byte-order mark";  // RFC 3629, section 6
  if (begins_with({0xFE, 0xFF}) || begins_with({0xFF, 0xFE})) return "is UTF-16";
  if (std::string fault = fault_of_characters({reinterpret_cast<const char*>(pin.data()), pin.size()});
      !fault.empty())
    return fault;
  if (pin.front() == ' ') return at("begins with a blank", 0);
  return pin.back() == ' ' ? at("ends with a blank", pin.size() - 1) : std::string();
}

}  // namespace keystay::pkcs11
