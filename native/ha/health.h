// A member's health: its states, and what metrics and the log show of them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "native/pkcs11/error.h"

namespace keystay::ha {

enum class Service {
  in,         // takes operations
  joining,    // came to a group in use, and has not answered a probe yet
  repairing,  // its sessions were lost; takes operations again as soon as they are back
  out,        // failed; probed until it answers
  refused,    // its token refuses the login: an operator is needed, and no PIN is tried twice
};
[[nodiscard]] const char* to_string(Service service) noexcept;

inline constexpr std::size_t kErrorClasses = static_cast<std::size_t>(pkcs11::ErrorClass::host) + 1;
// By ErrorClass, as metrics call them: "client", "server" …
[[nodiscard]] const std::array<const char*, kErrorClasses>& error_class_names() noexcept;

// A member as this process sees it. Times are of std::chrono::steady_clock.
struct MemberStatus {
  std::string name;
  std::string zone;
  Service service = Service::in;
  bool active = false;                            // among those that share the work
  std::string reason;                             // why it is not in service
  std::chrono::steady_clock::time_point since{};  // in this state; the first use if it never changed
  std::size_t in_flight = 0;
  std::size_t left_calls = 0;  // calls that were left in the module and have not returned
  std::uint64_t succeeded = 0;
  std::uint64_t replayed = 0;                         // operations that went on to another member
  std::array<std::uint64_t, kErrorClasses> failed{};  // by ErrorClass
  std::chrono::microseconds latency{0};               // of its latest operations, smoothed
  std::chrono::milliseconds out_of_service{0};        // in sum, up to now
  std::vector<std::string> lacking;                   // keys, as in messages, that it does not have
};

struct GroupStatus {
  std::string name;
  std::size_t min_active = 0;
  std::vector<MemberStatus> members;  // in their order
};

}  // namespace keystay::ha
