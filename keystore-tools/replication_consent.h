// The question before a key is made for a group: it leaves the token that makes it once, wrapped.
#pragma once

#include "native/keys/key_source.h"

namespace keystay::tools {

// Asks where a new key is to come to several members of a group. Throws Failure if the answer is no, or if
// nobody can be asked.
void agree_to_replication(keys::KeySource& source);

}  // namespace keystay::tools
