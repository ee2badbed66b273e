// group sync: the certificates of one member brought to the others.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupSync {
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // For each alias whose key several members have, the certificate that is valid and began last, with its
  // chain, is brought to those that have another one or none. Of keys, only names are changed, as far as an
  // interrupted command has given them on another member: the copies of a -genkeypair get theirs, and an
  // alias goes over to its next key. Says what it does, and does it for one member after the other. Throws
  // Failure if a member does not answer, after the others were done.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
