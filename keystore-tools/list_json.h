// -list -o json.
#pragma once

#include <string>

#include "native/keys/alias_lookup.h"
#include "native/keys/key_source.h"
#include "native/keys/listing.h"

namespace keystay::tools {

// One line; its keys stand in docs/user/keystay.md.
[[nodiscard]] std::string list_in_json(keys::KeySource& source, const keys::Listing& listing);

}  // namespace keystay::tools
