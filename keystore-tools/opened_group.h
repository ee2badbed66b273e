// The group that a command works on, member by member.
#pragma once

#include <memory>

#include "keystore-tools/store_options.h"
#include "native/ha/key_sources.h"
#include "native/keys/tokens.h"

namespace keystay::tools {

// Of the configuration; each is opened at its first use. Throws config::Error.
[[nodiscard]] std::unique_ptr<keys::Tokens> open_tokens(const StoreOptions& options);

// The one that -token, or the default, names. Throws Failure where that is no group.
[[nodiscard]] ha::GroupDescription group_of(const keys::Tokens& tokens, const StoreOptions& options);

// Both.
[[nodiscard]] ha::GroupDescription open_group(const StoreOptions& options);

}  // namespace keystay::tools
