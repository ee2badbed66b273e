// Text that the standard's binary values are compared and shown as.
#pragma once

#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// "01ab": two lower-case digits for each byte.
[[nodiscard]] std::string hex(ByteView bytes);

// ASCII letters count alike in either case.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace keystay::pkcs11
