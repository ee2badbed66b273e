#include "tlsd/admin/group_health.h"

#include <fmt/format.h>

namespace keystay::tlsd {
namespace {

void add_member(const config::GroupMemberReport* member, void* lines) {
  auto& text = *static_cast<std::string*>(lines);
  if (member->in_service == 0) {
    text += fmt::format("group \"{}\": member \"{}\" is {}: {}\n", member->group, member->member,
                        member->service, member->reason);
  } else if (member->lacking_keys > 0) {
    text += fmt::format("group \"{}\": member \"{}\" lacks {} of the keys in use\n", member->group,
                        member->member, member->lacking_keys);
  }
}

}  // namespace

std::string group_health(const LibraryContext& library) {
  std::string lines;
  library.report_groups(&add_member, &lines);
  return lines;
}

}  // namespace keystay::tlsd
