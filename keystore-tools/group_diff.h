// group diff: what is not the same on the members of a group.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupDiff {
  OutputForm form = OutputForm::text;

  // Writes what group status tells of differences, and nothing else: nothing at all where there are none.
  // Throws Failure after the report if there is one, or if a member does not answer and was not compared.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
