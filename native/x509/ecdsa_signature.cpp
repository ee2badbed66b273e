#include "native/x509/ecdsa_signature.h"

#include <algorithm>

namespace keystay::x509 {
namespace {

using pkcs11::ByteView;

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kSequence = 0x30;

// An unsigned number as the content of a DER INTEGER (X.690, section 8.3): no leading zeros but the one that
// keeps the sign bit clear.
struct Integer {
  ByteView significant;
  bool padded;

  explicit Integer(ByteView number) {
    while (number.size() > 1 && number.front() == 0) number = number.subspan(1);
    significant = number;
    padded = (number.front() & 0x80) != 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return significant.size() + (padded ? 1 : 0); }
};

std::uint8_t* write_header(std::uint8_t* out, std::uint8_t tag, std::size_t length) noexcept {
  *out++ = tag;
  if (length >= 0x80) *out++ = 0x81;
  *out++ = static_cast<std::uint8_t>(length);
  return out;
}

std::uint8_t* write(std::uint8_t* out, const Integer& integer) noexcept {
  out = write_header(out, kInteger, integer.size());
  if (integer.padded) *out++ = 0;
  return std::copy(integer.significant.begin(), integer.significant.end(), out);
}

}  // namespace

std::size_t encode_ecdsa(ByteView raw, std::span<std::uint8_t, kLongestEcdsaDer> der) noexcept {
  const Integer r(raw.first(raw.size() / 2));
  const Integer s(raw.last(raw.size() / 2));
  const std::size_t content = 2 + r.size() + 2 + s.size();
  std::uint8_t* end = write_header(der.data(), kSequence, content);
  end = write(write(end, r), s);
  return static_cast<std::size_t>(end - der.data());
}

}  // namespace keystay::x509
