// Reads [tlsd] and what is below it into TlsdSettings.
#pragma once

#include "native/config/table_reader.h"
#include "native/config/tlsd_settings.h"

namespace keystay::config {

// Throws Error that names file, line and key.
[[nodiscard]] TlsdSettings read_tlsd(const TableReader& tlsd);

}  // namespace keystay::config
