// Reads [group.NAME] into GroupSettings.
#pragma once

#include <map>
#include <set>
#include <string>

#include "native/config/configuration.h"
#include "native/config/group_settings.h"
#include "native/config/table_reader.h"

namespace keystay::config {

// `tokens`, `zone` and the names of the `groups` are those of the same file. Throws Error that names file,
// line and key.
[[nodiscard]] GroupSettings read_group(const TableReader& group,
                                       const std::map<std::string, TokenSettings, std::less<>>& tokens,
                                       const std::set<std::string>& groups, const std::string& zone);

}  // namespace keystay::config
