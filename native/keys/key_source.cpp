#include "native/keys/key_source.h"

namespace keystay::keys {

std::string name_with_members(KeySource& source) {
  const auto group = source.replication();
  if (!group) return source.name();
  std::string members;
  for (const Replica& member : group->replicas) members += (members.empty() ? "" : ", ") + member.name;
  return source.name() + " (" + members + ")";
}

}  // namespace keystay::keys
