#include "native/pkcs11/key_handles.h"

#include <utility>

namespace keystay::pkcs11 {

const KnownKey* KeyHandles::find(const KeyReference& key) const {
  const auto at = handles_.find(key);
  return at == handles_.end() ? nullptr : &at->second;
}

void KeyHandles::put(const KeyReference& key, KnownKey known) {
  handles_.insert_or_assign(Identity{key.identity(), key.identity_hash()}, std::move(known));
}

}  // namespace keystay::pkcs11
