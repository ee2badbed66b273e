// Text that the standard's binary values are compared and shown as.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// "01ab": two lower-case digits for each byte.
[[nodiscard]] std::string hex(ByteView bytes);

// Takes the first character off `rest`. Nothing, and `rest` as it was, if there is none in UTF-8 (RFC 3629):
// no surrogates, no longer form than needed, nothing above U+10FFFF.
[[nodiscard]] std::optional<char32_t> take_utf8_character(std::string_view& rest) noexcept;

// Whether the text consists of such characters only.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// ASCII letters count alike in either case.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace keystay::pkcs11
