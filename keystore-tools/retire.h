// -retire: destroys a version of an alias that a rotation has left, or the key of a rotation that is not to
// be finished.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Retire {
  std::string alias;
  std::string which;  // a number, "next", or "all" that are kept
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Shows what it will destroy, and asks first. Throws Failure. The alias itself is never destroyed by it.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
