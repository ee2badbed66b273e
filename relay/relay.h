// One connection of the process that is served: to the token's machine, and then bytes both ways.
#pragma once

#include "native/config/remote_settings.h"
#include "relay/asio.h"

namespace keystay::relay {

// Until one of the sides ends. Bytes that were passed on are wiped: there may be a PIN among them.
[[nodiscard]] awaitable<void> relay(Local local, const config::RemoteSettings& settings);

}  // namespace keystay::relay
