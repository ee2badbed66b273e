// Text that the standard's binary values are compared and shown as.
#pragma once

#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// "01ab": two lower-case digits for each byte.
[[nodiscard]] std::string hex(ByteView bytes);

// Whether the text is UTF-8 (RFC 3629): no surrogates, no longer form than needed, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// ASCII letters count alike in either case.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace keystay::pkcs11
