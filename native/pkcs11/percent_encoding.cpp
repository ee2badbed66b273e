#include "native/pkcs11/percent_encoding.h"

#include <algorithm>

namespace keystay::pkcs11 {
namespace {

constexpr std::string_view kUnreservedMarks = "-._~";
constexpr int kNoDigit = -1;

int hexadecimal(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return kNoDigit;
}

}  // namespace

bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kUnreservedMarks.find(c) != std::string_view::npos;
}

std::optional<std::size_t> broken_percent_encoding(std::string_view text) noexcept {
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 3)) {
    if (i + 2 >= text.size() || hexadecimal(text[i + 1]) == kNoDigit || hexadecimal(text[i + 2]) == kNoDigit)
      return i;
  }
  return std::nullopt;
}

std::size_t percent_decode(std::string_view text, char* decoded) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded[size++] = text[i];
      continue;
    }
    decoded[size++] = static_cast<char>(16 * hexadecimal(text[i + 1]) + hexadecimal(text[i + 2]));
    i += 2;
  }
  return size;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded(text.size(), '\0');
  decoded.resize(percent_decode(text, decoded.data()));
  return decoded;
}

}  // namespace keystay::pkcs11
