// Reads [[tlsd.listener.route]] of keystay.toml.
#pragma once

#include "native/config/table_reader.h"
#include "native/config/tlsd_settings.h"

namespace keystay::config {

// Host and path, without the backend. `listener` has its mode and the routes that stand before this one.
// Throws Error.
[[nodiscard]] Route read_route(const TableReader& table, const ListenerSettings& listener);

}  // namespace keystay::config
