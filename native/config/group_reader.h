// Reads [group.NAME] into GroupSettings.
#pragma once

#include <map>
#include <string>

#include "native/config/configuration.h"
#include "native/config/group_settings.h"
#include "native/config/table_reader.h"

namespace keystay::config {

// `tokens` and `zone` are those of the same file. Throws Error that names file, line and key.
[[nodiscard]] GroupSettings read_group(const TableReader& group,
                                       const std::map<std::string, TokenSettings, std::less<>>& tokens,
                                       const std::string& zone);

}  // namespace keystay::config
