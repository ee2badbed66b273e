// -changealias: gives a key another name.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct ChangeAlias {
  std::string alias = "mykey";
  std::string new_alias;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
