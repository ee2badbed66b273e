// group sync: the certificates of one member brought to the others.
#pragma once

#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupSync {
  bool dry_run = false;

  // For each alias whose key several members have, the certificate that is valid and began last, with its
  // chain, is brought to those that have another one or none. Of keys, only the copies that an interrupted
  // -genkeypair has left without a name are changed: they get it. Says what it does, and
  // does it for one member after the other. Throws Failure if a member does not answer, after the others were
  // done.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
