#include "native/pkcs11/key_handles.h"

namespace keystay::pkcs11 {

std::optional<CK_OBJECT_HANDLE> KeyHandles::find(const KeyReference& key) const {
  const auto at = handles_.find(key);
  if (at == handles_.end()) return std::nullopt;
  return at->second;
}

void KeyHandles::put(const KeyReference& key, CK_OBJECT_HANDLE handle) {
  handles_.insert_or_assign(Identity{key.identity(), key.identity_hash()}, handle);
}

}  // namespace keystay::pkcs11
