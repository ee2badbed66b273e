// A token that is full of aliases.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "native/keys/key_source.h"

namespace keystay::bench {

// Puts so many aliases on the token: a P-256 key pair and a certificate each, joined as
// docs/design/alias-model.md says, without the searches that a key store makes for each. Returns their names.
[[nodiscard]] std::vector<std::string> add_aliases(keys::KeySource& token, std::size_t count);

}  // namespace keystay::bench
