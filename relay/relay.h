// One connection of the process that is served: to the token's machine, and then bytes both ways.
#pragma once

#include "native/config/remote_settings.h"
#include "native/pkcs11/pin.h"
#include "relay/asio.h"

namespace keystay::relay {

// Until one of the sides ends. Bytes that were passed on are wiped: there may be a PIN among them. The
// password is that of `pkcs12`.
[[nodiscard]] awaitable<void> relay(Local local, pkcs11::Pin password,
                                    const config::RemoteSettings& settings);

}  // namespace keystay::relay
