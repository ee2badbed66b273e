// -deactivate and -activate: whether an alias may be served and used. Its key stays on the token.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct Deactivate {
  std::string alias;
  bool dry_run = false;

  void run(AliasStore& store) const;
};

struct Activate {
  std::string alias;
  bool dry_run = false;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
