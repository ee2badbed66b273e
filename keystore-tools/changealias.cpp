#include "keystore-tools/changealias.h"

#include "keystore-tools/failure.h"
#include "native/keys/alias_name.h"

namespace keystay::tools {

void ChangeAlias::run(AliasStore& store) const {
  argument([&] { keys::require_alias_name(new_alias); });
  store.rename(alias, new_alias);
}

}  // namespace keystay::tools
