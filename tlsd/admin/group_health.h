// Whether all members of all groups are in service: what the monitoring wants to know while the balancer,
// which asks for /health, has no reason to go elsewhere.
#pragma once

#include <string>

#include "tlsd/tls/library_context.h"

namespace keystay::tlsd {

// Empty if all is well; otherwise a line for each member that is out of service or lacks a key in use. As
// this process has found them so far; calls no module.
[[nodiscard]] std::string group_health(const LibraryContext& library);

}  // namespace keystay::tlsd
