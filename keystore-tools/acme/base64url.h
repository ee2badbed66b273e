// Base64url without padding (RFC 4648, section 5, as RFC 7515, section 2, has it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"

namespace keystay::tools::acme {

[[nodiscard]] std::string to_base64url(pkcs11::ByteView bytes);
[[nodiscard]] std::string to_base64url(std::string_view text);

// Nothing for any other text, also one whose unused bits are not zero. Padding at the end is accepted, as CAs
// hand out keys with it.
[[nodiscard]] std::optional<pkcs11::Bytes> from_base64url(std::string_view text);

// Whether it consists of characters of that alphabet, and of some: the form of a challenge's token (RFC 8555,
// section 8.1).
[[nodiscard]] bool is_base64url(std::string_view text) noexcept;

}  // namespace keystay::tools::acme
