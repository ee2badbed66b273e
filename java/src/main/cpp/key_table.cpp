#include "java/src/main/cpp/key_table.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace keystay::jni {
namespace {

struct Interned {
  keys::PrivateKey key;
  std::size_t references;
};

using Identity = std::pair<const pkcs11::KeyOperations*, std::string>;

Identity identity(const keys::PrivateKey& key) { return {&key.operations(), key.reference().identity()}; }

// Never destroyed: a Java thread may be signing while the process ends.
struct Table {
  std::mutex mutex;
  std::map<Identity, std::unique_ptr<Interned>> keys;
};
Table& table() {
  static auto* const instance = new Table;
  return *instance;
}

}  // namespace

const keys::PrivateKey& intern(const keys::PrivateKey& key) {
  Table& known = table();
  const std::lock_guard lock(known.mutex);
  auto& entry = known.keys[identity(key)];
  if (!entry) entry = std::make_unique<Interned>(Interned{key, 0});
  ++entry->references;
  return entry->key;
}

void release(const keys::PrivateKey& key) {
  std::unique_ptr<Interned> last;  // ends behind the lock, and may be the last to hold its token
  Table& known = table();
  const std::lock_guard lock(known.mutex);
  const auto found = known.keys.find(identity(key));
  if (found == known.keys.end() || --found->second->references > 0) return;
  last = std::move(found->second);
  known.keys.erase(found);
}

std::size_t interned_keys() {
  Table& known = table();
  const std::lock_guard lock(known.mutex);
  return known.keys.size();
}

}  // namespace keystay::jni
