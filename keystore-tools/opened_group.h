// The group that a command works on, member by member.
#pragma once

#include "keystore-tools/store_options.h"
#include "native/ha/key_sources.h"

namespace keystay::tools {

// Reads the configuration; the tokens are opened at their first use. Throws config::Error, and Failure where
// -token, or the default, is no group.
[[nodiscard]] ha::GroupDescription open_group(const StoreOptions& options);

}  // namespace keystay::tools
