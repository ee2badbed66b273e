#include "native/pkcs11/der_element.h"

namespace keystay::pkcs11 {
namespace {

constexpr std::uint8_t kSeveralOctets = 0x1f;  // the tag number goes on in the next octet
constexpr std::uint8_t kLongForm = 0x80;
constexpr std::size_t kLengthOctets = 4;

// Takes the length off `rest`.
std::optional<std::size_t> take_length(ByteView& rest) {
  if (rest.empty()) return std::nullopt;
  const std::uint8_t first = rest[0];
  rest = rest.subspan(1);
  if (first < kLongForm) return first;
  const std::size_t octets = first & ~kLongForm;
  if (octets == 0 || octets > kLengthOctets || octets > rest.size()) return std::nullopt;
  std::size_t length = 0;
  for (const std::uint8_t octet : rest.first(octets)) length = length << 8 | octet;
  rest = rest.subspan(octets);
  return length;
}

}  // namespace

std::optional<DerElement> take_element(ByteView& rest) {
  if (rest.empty() || (rest[0] & kSeveralOctets) == kSeveralOctets) return std::nullopt;
  ByteView after = rest.subspan(1);
  const std::optional<std::size_t> length = take_length(after);
  if (!length || *length > after.size()) return std::nullopt;
  const std::size_t header = rest.size() - after.size();
  const DerElement element{rest[0], after.first(*length), rest.first(header + *length)};
  rest = after.subspan(*length);
  return element;
}

std::optional<ByteView> content_of(std::uint8_t tag, ByteView bytes) {
  const std::optional<DerElement> element = take_element(bytes);
  if (!element || element->tag != tag || !bytes.empty()) return std::nullopt;
  return element->content;
}

}  // namespace keystay::pkcs11
