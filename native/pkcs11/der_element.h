// DER elements (X.690, sections 8.1 and 10.1), read one after the other.
#pragma once

#include <cstdint>
#include <optional>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// Borrowed from the bytes that it was read from.
struct DerElement {
  std::uint8_t tag;  // the identifier octet
  ByteView content;
  ByteView whole;  // with identifier and length
};

// Takes the first element off `rest`. Nothing, and `rest` as it was, if that is none: a tag of several
// octets, a length of more than four or without an end, or one that goes beyond `rest`.
[[nodiscard]] std::optional<DerElement> take_element(ByteView& rest);

// The content of `bytes`, if they are one element with this tag and nothing else.
[[nodiscard]] std::optional<ByteView> content_of(std::uint8_t tag, ByteView bytes);

}  // namespace keystay::pkcs11
