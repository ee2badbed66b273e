// Private keys that Java knows by address: each distinct key once, until the process ends.
#pragma once

#include "native/keys/private_key.h"

namespace keystay::jni {

// The same address for the same recipe on the same token, however often it is listed, so that listing does
// not grow the table. Thread-safe.
[[nodiscard]] const keys::PrivateKey& intern(const keys::PrivateKey& key);

}  // namespace keystay::jni
