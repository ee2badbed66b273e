#include "native/keys/name.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "native/pkcs11/der_element.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::ByteView;
using pkcs11::DerElement;
using pkcs11::take_element;

// X.690, section 8: universal tags. The string types are those of DirectoryString (RFC 5280, appendix A.1)
// and IA5String, for domainComponent and emailAddress.
enum Tag : std::uint8_t {
  kUtf8String = 0x0c,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kVisibleString = 0x1a,
  kUniversalString = 0x1c,
  kBmpString = 0x1e,
  kSequence = 0x30,
  kSet = 0x31,
};

void append_utf8(Bytes& text, std::uint32_t character) {
  const auto put = [&](std::uint32_t octet) { text.push_back(static_cast<std::uint8_t>(octet)); };
  if (character < 0x80) return put(character);
  if (character < 0x800) {
    put(0xc0 | character >> 6);
  } else if (character < 0x10000) {
    put(0xe0 | character >> 12);
    put(0x80 | (character >> 6 & 0x3f));
  } else {
    put(0xf0 | character >> 18);
    put(0x80 | (character >> 12 & 0x3f));
    put(0x80 | (character >> 6 & 0x3f));
  }
  put(0x80 | (character & 0x3f));
}

bool is_surrogate(std::uint32_t character) { return character >= 0xd800 && character < 0xe000; }

// From characters of `width` octets, big-endian; nothing if they are no characters.
std::optional<Bytes> utf8_from(ByteView value, std::size_t width) {
  if (value.size() % width != 0) return std::nullopt;
  Bytes text;
  for (; !value.empty(); value = value.subspan(width)) {
    std::uint32_t character = 0;
    for (const std::uint8_t octet : value.first(width)) character = character << 8 | octet;
    if (character > 0x10ffff || is_surrogate(character)) return std::nullopt;
    append_utf8(text, character);
  }
  return text;
}

// Nothing for values that are no text.
std::optional<Bytes> utf8_of(const DerElement& value) {
  switch (value.tag) {
    case kUtf8String:
    case kNumericString:
    case kPrintableString:
    case kIa5String:
    case kVisibleString:
      return Bytes(value.content.begin(), value.content.end());
    case kTeletexString:  // Latin-1, as libcrypto and the JDK read it
      return utf8_from(value.content, 1);
    case kBmpString:
      return utf8_from(value.content, 2);
    case kUniversalString:
      return utf8_from(value.content, 4);
    default:
      return std::nullopt;
  }
}

bool is_blank(std::uint8_t octet) { return octet == ' ' || (octet >= '\t' && octet <= '\r'); }

std::uint8_t small(std::uint8_t octet) {
  return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet - 'A' + 'a') : octet;
}

Bytes folded(const Bytes& text) {
  Bytes result;
  bool blank = false;
  for (const std::uint8_t octet : text) {
    if (is_blank(octet)) {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result.push_back(' ');
    blank = false;
    result.push_back(small(octet));
  }
  return result;
}

// Tag, a length of four octets, content: for comparisons, where no two values may look alike.
void append_element(Bytes& to, std::uint8_t tag, ByteView content) {
  to.push_back(tag);
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<std::uint8_t>(content.size() >> shift));
  to.insert(to.end(), content.begin(), content.end());
}

// Type and value.
std::optional<Bytes> canonical_attribute(ByteView attribute) {
  const std::optional<DerElement> type = take_element(attribute);
  const std::optional<DerElement> value = type ? take_element(attribute) : std::nullopt;
  if (!value || !attribute.empty()) return std::nullopt;
  Bytes result(type->whole.begin(), type->whole.end());
  if (const std::optional<Bytes> text = utf8_of(*value)) {
    append_element(result, kUtf8String, folded(*text));
  } else {
    append_element(result, value->tag, value->content);
  }
  return result;
}

// Of a multi-valued one the order is none: DER's is by the octets that we have changed.
std::optional<Bytes> canonical_relative_name(ByteView attributes) {
  std::vector<Bytes> parts;
  while (!attributes.empty()) {
    const std::optional<DerElement> attribute = take_element(attributes);
    std::optional<Bytes> part =
        attribute && attribute->tag == kSequence ? canonical_attribute(attribute->content) : std::nullopt;
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
  }
  std::ranges::sort(parts);
  Bytes result;
  for (const Bytes& part : parts) append_element(result, kSequence, part);
  return result;
}

std::optional<Bytes> canonical(ByteView name) {
  std::optional<ByteView> rest = pkcs11::content_of(kSequence, name);
  if (!rest) return std::nullopt;
  Bytes result;
  while (!rest->empty()) {
    const std::optional<DerElement> relative = take_element(*rest);
    const std::optional<Bytes> part =
        relative && relative->tag == kSet ? canonical_relative_name(relative->content) : std::nullopt;
    if (!part) return std::nullopt;
    append_element(result, kSet, *part);
  }
  return result;
}

}  // namespace

Bytes canonical_name(ByteView name) { return canonical(name).value_or(Bytes(name.begin(), name.end())); }

bool same_name(ByteView a, ByteView b) {
  return std::ranges::equal(a, b) || canonical_name(a) == canonical_name(b);
}

}  // namespace keystay::keys
