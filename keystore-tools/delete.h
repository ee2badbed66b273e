// -delete: destroys the key pair and certificate of an alias, or a trusted certificate.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct Delete {
  std::string alias;
  bool dry_run = false;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
