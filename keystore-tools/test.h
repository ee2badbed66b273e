// -test: whether a token can be used, or what exactly is wrong.
#pragma once

#include <string>

#include "keystore-tools/opened_store.h"

namespace keystay::tools {

struct Test {
  std::string alias;  // to sign with; empty: the first that can

  // Connects, logs in, and makes a signature that libcrypto verifies; says what it finds on standard output,
  // and "Connected" at the end. Throws what the first step that fails does. Of a group it connects to each
  // member, signs by the group, and throws Failure at the end if a member fails.
  void run(AliasStore& store) const;
};

}  // namespace keystay::tools
