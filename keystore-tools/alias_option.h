// The value of -alias.
#pragma once

#include <string>

namespace keystay::tools {

// Why it can be no alias: nothing stands where its CKA_ID should. Empty if it can be one, as CLI11 wants it.
[[nodiscard]] std::string fault_of_alias(const std::string& alias);

}  // namespace keystay::tools
