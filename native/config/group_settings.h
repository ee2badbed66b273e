// [group.NAME] of keystay.toml: tokens that hold the same keys. docs/user/groups.md lists every key.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace keystay::config {

// What each counts for when the next operation goes to one of several active members.
struct BalanceWeights {
  unsigned success = 1;   // how many of a member's latest operations succeeded
  unsigned idleness = 1;  // how much of its sessions is free

  bool operator==(const BalanceWeights&) const = default;
};

struct GroupSettings {
  std::vector<std::string> members;  // names of tokens; their order is their priority
  std::size_t min_active = 0;        // so many share the work, the rest stand by
  // Nothing: strictly by priority, the first member in service does all.
  std::optional<BalanceWeights> balance = BalanceWeights{};
  std::string same_zone;  // members of this zone come first; empty: zones do not count

  std::chrono::milliseconds timeout{5000};          // one operation, all its attempts included
  std::chrono::milliseconds attempt_timeout{2000};  // one attempt while another member could still be asked
  // Between two probes of a member that is out of service; the last one repeats.
  std::vector<std::chrono::milliseconds> probe_pauses;
  std::chrono::milliseconds check_interval{
      10000};                    // of members that are in service and did nothing meanwhile
  bool leave_hung_calls = true;  // a call into a member's module runs on a thread that can be left in it

  bool verify = false;  // each signature, before anybody gets it
  // CKA_LABEL of a secret key that all members have, under which new keys go from one to the others; empty:
  // new keys cannot be made.
  std::string wrapping_key;
  std::optional<unsigned long>
      wrapping_mechanism;          // CK_MECHANISM_TYPE; nothing: the first that both tokens have
  std::size_t create_minimum = 0;  // so many members must have a new key, or none keeps it

  bool operator==(const GroupSettings&) const = default;
};

}  // namespace keystay::config
