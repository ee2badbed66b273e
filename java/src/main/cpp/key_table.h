// Private keys that Java knows by address: each distinct key once, as long as some Java object refers to it.
#pragma once

#include <cstddef>

#include "native/keys/private_key.h"

namespace keystay::jni {

// The same address for the same recipe on the same token, however often it is listed, so that listing does
// not grow the table. Each call is one more reference. Thread-safe.
[[nodiscard]] const keys::PrivateKey& intern(const keys::PrivateKey& key);

// One reference less; with the last one the key is gone. Nothing may use the address behind it.
void release(const keys::PrivateKey& key);

// How many keys there are.
[[nodiscard]] std::size_t interned_keys();

}  // namespace keystay::jni
