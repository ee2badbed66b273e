#include "keystore-tools/acme/base64url.h"

#include <algorithm>
#include <cstdint>

namespace keystay::tools::acme {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kBitsOfDigit = 6;
constexpr int kBitsOfByte = 8;

}  // namespace

std::string to_base64url(pkcs11::ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * kBitsOfByte + kBitsOfDigit - 1) / kBitsOfDigit);
  std::uint32_t bits = 0;
  int count = 0;  // of bits that are not written yet, the lowest of `bits`
  for (const std::uint8_t byte : bytes) {
    bits = (bits << kBitsOfByte) | byte;
    count += kBitsOfByte;
    for (; count >= kBitsOfDigit; count -= kBitsOfDigit)
      text += kAlphabet[(bits >> (count - kBitsOfDigit)) & 0x3F];
  }
  if (count > 0) text += kAlphabet[(bits << (kBitsOfDigit - count)) & 0x3F];
  return text;
}

std::string to_base64url(std::string_view text) {
  return to_base64url({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::optional<pkcs11::Bytes> from_base64url(std::string_view text) {
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  pkcs11::Bytes bytes;
  bytes.reserve(text.size() * kBitsOfDigit / kBitsOfByte);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << kBitsOfDigit) | static_cast<std::uint32_t>(digit);
    count += kBitsOfDigit;
    if (count < kBitsOfByte) continue;
    count -= kBitsOfByte;
    bytes.push_back(static_cast<std::uint8_t>(bits >> count));
    bits &= (1U << count) - 1;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

bool is_base64url(std::string_view text) noexcept {
  return !text.empty() && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace keystay::tools::acme
