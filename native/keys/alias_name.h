// What may be the name of an alias.
#pragma once

#include <string>
#include <string_view>

namespace keystay::keys {

// Throws pkcs11::Error (client) for a name that the alias model (docs/design/alias-model.md) gives a meaning
// of its own ("id:…", "issuer-…", "unfinished-…", "…#2"), for one with a character that cannot be seen, or
// with a blank at an end, for bytes that are no UTF-8, and for none.
void require_alias_name(std::string_view alias);

// Whether two names are one name but for letter case: then only one of them may be given.
[[nodiscard]] bool are_alike(std::string_view a, std::string_view b);

// `alias "httpd"`, for messages, with what cannot be seen as pkcs11::printable writes it.
[[nodiscard]] std::string quoted_alias(std::string_view alias);

}  // namespace keystay::keys
