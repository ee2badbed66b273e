#include "keystore-tools/delete.h"

namespace keystay::tools {

void Delete::run(AliasStore& store) const { store.remove(alias); }

}  // namespace keystay::tools
