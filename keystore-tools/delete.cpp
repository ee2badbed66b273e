#include "keystore-tools/delete.h"

#include <cstdio>

#include <fmt/core.h>

#include "native/keys/alias_name.h"

namespace keystay::tools {

void Delete::run(AliasStore& store) const {
  if (!dry_run) return store.remove(alias);
  const keys::Named named = store.require(alias);
  const bool forgets = store.file().content().on_delete == config::DeleteAction::forget;
  fmt::print(stderr, "{} would be {} {}\n", keys::quoted_alias(keys::alias_of(named)),
             forgets ? "taken off the list of the" : "destroyed on",
             forgets ? store.file().name() : store.keys().source().name());
}

}  // namespace keystay::tools
