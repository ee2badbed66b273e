// The keys of [token.NAME] that put the token on another machine.
#pragma once

#include <chrono>
#include <optional>

#include "native/config/remote_settings.h"
#include "native/config/table_reader.h"

namespace keystay::config {

// Nothing where the token has no `endpoints`. `timeout` is that of its operations. Throws Error.
[[nodiscard]] std::optional<RemoteSettings> read_remote(const TableReader& token,
                                                        std::chrono::milliseconds timeout);

}  // namespace keystay::config
