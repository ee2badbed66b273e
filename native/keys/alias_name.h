// What may be the name of an alias.
#pragma once

#include <string_view>

namespace keystay::keys {

// Throws pkcs11::Error (client) for a name that the alias model (docs/design/alias-model.md) gives a meaning
// of its own ("id:…", "issuer-…", "unfinished-…", "…#2"), for one that cannot be printed, and for none.
void require_alias_name(std::string_view alias);

}  // namespace keystay::keys
