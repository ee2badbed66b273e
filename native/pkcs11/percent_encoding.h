// Percent-encoding (RFC 3986, section 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keystay::pkcs11 {

// ALPHA, DIGIT and "-._~" (RFC 3986, section 2.3).
[[nodiscard]] bool is_unreserved(char c) noexcept;
// Where the text first has a "%" without two hexadecimal digits behind it.
[[nodiscard]] std::optional<std::size_t> broken_percent_encoding(std::string_view text) noexcept;
// Of text without such a place.
[[nodiscard]] std::string percent_decoded(std::string_view text);

}  // namespace keystay::pkcs11
