// The characters of a label (RFC2279 in PKCS #11 v3.0, section 4.1; today RFC 3629): which of them a reader
// sees, and which names are one name but for letter case.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace keystay::pkcs11 {

// The code points of UTF-8 text; nothing if the bytes are none: no surrogates, no longer form than needed,
// nothing above U+10FFFF.
[[nodiscard]] std::optional<std::u32string> code_points(std::string_view text);

// The first character that cannot be told by looking at it: a control or format character (among them those
// that turn the direction of writing), a blank that is not U+0020, one that is not drawn, a noncharacter.
[[nodiscard]] std::optional<char32_t> first_invisible(std::u32string_view text);

// "U+202E".
[[nodiscard]] std::string code_point_name(char32_t character);

// Text for lists and messages: characters as of first_invisible are written as \u{202E}, and bytes that are
// no UTF-8 as \x{E9}. Everything else stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

// The text with each letter in lower case, by Unicode's simple case mappings, to be compared with others'.
// Bytes that are no UTF-8 stay, and ASCII letters beside them do not.
[[nodiscard]] std::string case_folded(std::string_view text);

}  // namespace keystay::pkcs11
