#include "native/ha/selection.h"

namespace keystay::ha {
namespace {

// Operations of one moment differ by less.
constexpr double kEqual = 1e-3;

// Those in the same zone, if that counts and there are any.
MemberSet nearest(std::span<const std::shared_ptr<Member>> members, MemberSet candidates,
                  const config::GroupSettings& settings) {
  if (settings.same_zone.empty()) return candidates;
  MemberSet near;
  for (std::size_t i = 0; i < members.size(); ++i)
    near.set(i, candidates.test(i) && members[i]->zone() == settings.same_zone);
  return near.any() ? near : candidates;
}

}  // namespace

MemberSet active_members(std::span<const std::shared_ptr<Member>> members, std::size_t min_active) {
  MemberSet active;
  for (std::size_t i = 0; i < members.size() && active.count() < min_active; ++i) {
    if (members[i]->in_service()) active.set(i);
  }
  return active;
}

std::size_t best_of(std::span<const std::shared_ptr<Member>> members, MemberSet candidates,
                    const config::GroupSettings& settings, std::size_t turn) {
  candidates = nearest(members, candidates, settings);
  std::size_t best = members.size();
  double best_score = 0;
  for (std::size_t step = 0; step < members.size(); ++step) {
    const std::size_t i = settings.balance ? (turn + step) % members.size() : step;
    if (!candidates.test(i)) continue;
    if (!settings.balance) return i;
    const Member& member = *members[i];
    const double score =
        settings.balance->success * member.success() + settings.balance->idleness * member.idleness();
    if (best != members.size() && score < best_score + kEqual) continue;
    best = i;
    best_score = score;
  }
  return best;
}

std::size_t first_of(std::span<const std::shared_ptr<Member>> members, MemberSet candidates,
                     const config::GroupSettings& settings) {
  candidates = nearest(members, candidates, settings);
  std::size_t place = 0;
  while (place + 1 < members.size() && !candidates.test(place)) ++place;
  return place;
}

}  // namespace keystay::ha
