// Reads access-log and access-log-format, which [tlsd] and each of its listeners may have.
#pragma once

#include "native/config/access_log_settings.h"
#include "native/config/table_reader.h"

namespace keystay::config {

// What `table` does not say is as in `inherited`. Throws Error for another value.
[[nodiscard]] AccessLogSettings read_access_log(const TableReader& table, const AccessLogSettings& inherited);

}  // namespace keystay::config
