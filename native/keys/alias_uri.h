// "keystay:httpd", "keystay:web/httpd": an alias as a URI. What stands behind the scheme is a path by RFC
// 3986, section 3.3.
#pragma once

#include <string_view>

namespace keystay::keys {

// Whether the text has the scheme "keystay", in either case: a URI, right or wrong.
[[nodiscard]] bool is_alias_uri(std::string_view text) noexcept;

// The path, still percent-encoded; empty means the token as such. Throws pkcs11::UriError for what is none: a
// character that must be encoded, a "%" without its digits, text that is not UTF-8, a query, a fragment.
[[nodiscard]] std::string_view path_of_alias_uri(std::string_view uri);

}  // namespace keystay::keys
