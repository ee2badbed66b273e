// group status: whether the members of a group answer, and whether they have the same keys.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupStatus {
  OutputForm form = OutputForm::text;

  // Asks each member of the group that -token names, or of the default one. Throws Failure after the report
  // if one does not answer, or lacks what another has; config::Error where no group is meant.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
