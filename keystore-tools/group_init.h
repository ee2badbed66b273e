// group init: gives all members of a group one wrapping key, under which new keys come from one to the
// others.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupInit {
  bool dry_run = false;
  OutputForm form = OutputForm::text;
  bool no_prompt = false;

  // Says what each member has; asks; makes a new wrapping key on all of them, in the place of what they have.
  // Throws Failure if a member does not answer, or nobody agrees, and changes nothing then.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
