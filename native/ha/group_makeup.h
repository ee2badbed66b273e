// What a group is made of, as one reading of the configuration says.
#pragma once

#include <vector>

#include "native/config/group_settings.h"
#include "native/ha/member_token.h"

namespace keystay::ha {

struct GroupMakeup {
  config::GroupSettings settings;
  std::vector<MemberToken> tokens;  // the members, in their order; not empty

  bool operator==(const GroupMakeup&) const = default;
};

}  // namespace keystay::ha
