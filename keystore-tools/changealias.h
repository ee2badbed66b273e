// -changealias: gives a key another name.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct ChangeAlias {
  std::string alias = "mykey";
  std::string new_alias;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
