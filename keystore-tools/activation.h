// -deactivate and -activate: whether an alias may be served and used. Its key stays on the token.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Deactivate {
  std::string alias;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

struct Activate {
  std::string alias;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
