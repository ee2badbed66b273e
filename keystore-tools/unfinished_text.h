// What interrupted commands have left, in words: for -list and -cleanup.
#pragma once

#include <string>
#include <vector>

#include "native/keys/unfinished.h"

namespace keystay::tools {

// One line for each object: "unfinished-…, unfinished since Nov 29, 2026 08:30:00 UTC: private key".
[[nodiscard]] std::string describe(const std::vector<keys::Unfinished>& unfinished);

}  // namespace keystay::tools
