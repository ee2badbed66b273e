// The contract by which an application that has the provider in its own process learns how much its tokens
// have to do. The provider announces it as a capability (provider-base(7), OSSL_PROVIDER_get_capabilities).
#pragma once

#include <cstdint>

namespace keystay::config {

// The capability's name, and its two parameters: OSSL_PARAM_OCTET_PTRs that hold the function below and the
// pointer to call it with.
inline constexpr char kSignerCapability[] = "KEYSTAY-SIGNERS";
inline constexpr char kSignerReportParameter[] = "report";
inline constexpr char kSignerArgumentParameter[] = "argument";

// A token, or a group, whose keys this process has used in jobs. The text is UTF-8 and is there as long as
// the call lasts. After a reload there may be two of one name.
struct SignerReport {
  const char* source;       // "token web", "group front"
  std::uint64_t waiting;    // operations for which no session is free
  std::uint64_t in_flight;  // operations that it is at
  std::uint64_t capacity;   // how many it does at a time
};

extern "C" {
// Calls `report` for each of them. Calls no module. Returns 1, or 0 with the reason on the error queue.
using SignerFunction = void (*)(const SignerReport* report, void* argument);
using SignerReportFunction = int (*)(void* argument, SignerFunction report, void* report_argument);
}

}  // namespace keystay::config
