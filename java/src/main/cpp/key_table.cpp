#include "java/src/main/cpp/key_table.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace keystay::jni {
namespace {

// Never destroyed: a Java thread may be signing while the process ends.
struct Table {
  std::mutex mutex;
  std::map<std::pair<const pkcs11::KeyOperations*, std::string>, std::unique_ptr<const keys::PrivateKey>>
      keys;
};
Table& table() {
  static auto* const instance = new Table;
  return *instance;
}

}  // namespace

const keys::PrivateKey& intern(const keys::PrivateKey& key) {
  Table& known = table();
  const std::lock_guard lock(known.mutex);
  auto& entry = known.keys[{&key.operations(), key.reference().identity()}];
  if (!entry) entry = std::make_unique<const keys::PrivateKey>(key);
  return *entry;
}

}  // namespace keystay::jni
