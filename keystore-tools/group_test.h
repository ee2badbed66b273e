// group test: whether each key of a group signs on each of its members.
#pragma once

#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/store_options.h"

namespace keystay::tools {

struct GroupTest {
  std::string alias;  // only this key; empty: all that sign
  OutputForm form = OutputForm::text;

  // Has each key make a signature on each member, which libcrypto verifies by the public key that the first
  // member with this alias shows. Writes one line for each, with its time. Throws Failure after the report
  // that names each member and key of which a signature failed, was wrong, or could not be asked for since
  // the member does not answer, lacks the key, or has another one under its name.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
