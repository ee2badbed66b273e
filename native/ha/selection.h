// Which member the next operation goes to.
#pragma once

#include <bitset>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "native/config/group_settings.h"
#include "native/ha/member.h"

namespace keystay::ha {

inline constexpr std::size_t kMostMembers = 16;
// By their places in the group.
using MemberSet = std::bitset<kMostMembers>;

// The first `min_active` members that are in service, in their order, are *active*; the rest stand by.
[[nodiscard]] MemberSet active_members(std::span<const std::shared_ptr<Member>> members,
                                       std::size_t min_active);

// The place of the best of `candidates`: of those in the same zone, if there are any, the one with the
// highest weighed sum of success and idleness, and of equal ones the next after `turn`; without weights the
// first one. There is at least one candidate.
[[nodiscard]] std::size_t best_of(std::span<const std::shared_ptr<Member>> members, MemberSet candidates,
                                  const config::GroupSettings& settings, std::size_t turn);

// The one that is read from: the first of `candidates` in their order, or of those in the same zone. Not by
// turns: where the members differ, whoever asks twice gets one answer.
[[nodiscard]] std::size_t first_of(std::span<const std::shared_ptr<Member>> members, MemberSet candidates,
                                   const config::GroupSettings& settings);

}  // namespace keystay::ha
