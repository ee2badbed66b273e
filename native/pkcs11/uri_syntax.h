// The grammar of PKCS #11 URIs (RFC 7512, section 2.3). p11-kit reads more than that: it drops blanks, takes
// the last of an attribute that stands twice, and "" where a value is a zero byte. What it makes of such a
// URI names another key, so every URI is checked here first.
#pragma once

#include <string_view>

namespace keystay::pkcs11 {

// Throws UriError, which names the attribute and the place, for text that is no PKCS #11 URI and for
// attributes that Keystay does not know. No value is repeated in the message, since one may be a PIN.
void require_uri_syntax(std::string_view text);

// Whether an attribute of text can state this value: UTF-8 without a zero byte, and not empty.
[[nodiscard]] bool is_uri_text(std::string_view value) noexcept;

}  // namespace keystay::pkcs11
