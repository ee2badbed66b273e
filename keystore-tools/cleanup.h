// -cleanup: removes what interrupted commands have left on the token.
#pragma once

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Cleanup {
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Shows it and asks first: nobody else can know whether its maker is still at work. Throws Failure.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
