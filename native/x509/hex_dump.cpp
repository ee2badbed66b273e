#include "native/x509/hex_dump.h"

#include <algorithm>
#include <cstddef>

namespace keystay::x509 {
namespace {

constexpr std::size_t kInLine = 16;
constexpr std::size_t kWidth = kInLine * 3 + 2;  // of the bytes, with the gap in their middle
constexpr char kDigits[] = "0123456789ABCDEF";

char shown(std::uint8_t byte) { return byte < ' ' || byte > 'z' ? '.' : static_cast<char>(byte); }

std::string line(pkcs11::ByteView bytes) {
  std::string hex;
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hex.append({kDigits[bytes[i] >> 4], kDigits[bytes[i] & 0x0F], ' '});
    if (i + 1 == kInLine / 2) hex += "  ";
    text += shown(bytes[i]);
  }
  hex.resize(kWidth, ' ');
  return hex + " " + text + "\n";
}

std::string offset(std::size_t at) {
  std::string digits;
  for (int shift = 12; shift >= 0; shift -= 4) digits += kDigits[at >> shift & 0x0F];
  return digits + ": ";
}

}  // namespace

std::string hex_dump(pkcs11::ByteView bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += kInLine)
    text += offset(at) + line(bytes.subspan(at, std::min(kInLine, bytes.size() - at)));
  return text;
}

}  // namespace keystay::x509
