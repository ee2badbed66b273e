// The contract by which an application that has the provider in its own process learns how the members of its
// groups are. The provider announces it as a capability (provider-base(7), OSSL_PROVIDER_get_capabilities).
#pragma once

#include <cstdint>

namespace keystay::config {

// The capability's name, and its three parameters: OSSL_PARAM_OCTET_PTRs that hold the functions below and
// the pointer to call them with.
inline constexpr char kGroupCapability[] = "KEYSTAY-GROUPS";
inline constexpr char kGroupReportParameter[] = "report";
inline constexpr char kGroupListenParameter[] = "listen";
inline constexpr char kGroupArgumentParameter[] = "argument";

// A member as this process sees it. The texts are UTF-8 and are there as long as the call lasts.
struct GroupMemberReport {
  const char* group;
  const char* member;
  const char* zone;     // "" for none
  const char* service;  // "in service", "out of service" …
  const char* reason;   // "" while it is in service
  int in_service;
  int active;
  double out_of_service;  // seconds, in sum
  double latency;         // seconds, of its latest operations
  std::uint64_t in_flight;
  std::uint64_t left_calls;
  std::uint64_t succeeded;
  std::uint64_t replayed;
  std::uint64_t lacking_keys;
  const char* const* error_classes;  // `errors` of them, as `failed`
  const std::uint64_t* failed;
  std::uint64_t errors;
};

extern "C" {
// Calls `report` for each member of each group, in order. Calls no module. Returns 1, or 0 with the reason on
// the error queue.
using GroupMemberFunction = void (*)(const GroupMemberReport* report, void* argument);
using GroupReportFunction = int (*)(void* argument, GroupMemberFunction report, void* report_argument);

// From now on each change of a member's state is told to `notice`, on any thread, and not to the system log.
// Once; before keys are used. Returns 1.
using GroupNoticeFunction = void (*)(const char* sentence, void* argument);
using GroupListenFunction = int (*)(void* argument, GroupNoticeFunction notice, void* notice_argument);
}

}  // namespace keystay::config
