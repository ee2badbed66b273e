// Reads [tlsd.backend.NAME] of keystay.toml.
#pragma once

#include "native/config/table_reader.h"
#include "native/config/tlsd_settings.h"

namespace keystay::config {

// Throws Error.
[[nodiscard]] BackendSettings read_backend(const TableReader& table);

}  // namespace keystay::config
