// -test: whether a token can be used, or what exactly is wrong.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"
#include "keystore-tools/output_form.h"

namespace keystay::tools {

struct Test {
  std::string alias;  // to sign with; empty: the first that can
  OutputForm form = OutputForm::text;

  // Connects, logs in, and makes a signature that libcrypto verifies; says what it finds on standard output,
  // and "Connected" at the end, or all of it as one object, also where a step fails. Throws what the first
  // step that fails does. Of a group it connects to each member, signs by the group, and throws Failure at
  // the end if a member fails.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
