#include "keystore-tools/changealias.h"

namespace keystay::tools {

void ChangeAlias::run(AliasStore& store) const { store.rename(store.require_key(alias), new_alias); }

}  // namespace keystay::tools
