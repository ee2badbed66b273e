// Keys that were found before: valid in one session or one epoch of a token, and forgotten with it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "native/pkcs11/key_reference.h"
#include "native/pkcs11/token_key.h"

namespace keystay::pkcs11 {

struct KnownKey {
  std::shared_ptr<TokenKey> object;  // on the token
  CK_OBJECT_HANDLE handle;           // to sign with: a session's own copy, or that object
};

class KeyHandles final {
 public:
  // Null for a key that is not known. Valid until the next put() or clear().
  [[nodiscard]] const KnownKey* find(const KeyReference& key) const;
  void put(const KeyReference& key, KnownKey known);
  void clear() noexcept { handles_.clear(); }
  [[nodiscard]] std::size_t size() const noexcept { return handles_.size(); }

 private:
  struct Identity {
    std::string text;
    std::size_t hash;
  };
  // Looks a KeyReference up by the hash it carries, without a copy of its identity.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Identity& identity) const noexcept { return identity.hash; }
    std::size_t operator()(const KeyReference& key) const noexcept { return key.identity_hash(); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Identity& a, const Identity& b) const noexcept { return a.text == b.text; }
    bool operator()(const Identity& a, const KeyReference& b) const noexcept {
      return a.text == b.identity();
    }
    bool operator()(const KeyReference& a, const Identity& b) const noexcept {
      return a.identity() == b.text;
    }
  };

  std::unordered_map<Identity, KnownKey, Hash, Equal> handles_;
};

}  // namespace keystay::pkcs11
