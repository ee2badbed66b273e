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
// The same for text that may be a PIN; returns how many of the characters of `decoded` are used.
// `decoded` has room for text.size().
[[nodiscard]] std::size_t percent_decode(std::string_view text, char* decoded) noexcept;

}  // namespace keystay::pkcs11
