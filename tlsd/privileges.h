// The rights of the process.
#pragma once

#include "native/config/tlsd_settings.h"

namespace keystay::tlsd {

// Started by root, the process becomes the user and the group of the settings, for good, and keeps of root's
// rights that to bind ports below 1024 (CAP_NET_BIND_SERVICE), for reloads; programs that it starts get none.
// Does nothing where the settings name no user. To be called before there are threads. Throws
// std::runtime_error if there is no such user or group, or the process may not become it.
void give_up_root(const config::TlsdSettings& settings);

}  // namespace keystay::tlsd
