// The modules of a token on another machine: one for each connection.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/config/remote_settings.h"
#include "native/pkcs11/module.h"

namespace keystay::remote {

// As many as `lanes` says. Each connects when it is initialised, which is at its first use, with one relay
// for all; a PIN that the token refused on one is tried on none. `name` is the token's, for messages. Touches
// no file and starts nothing. Throws pkcs11::Error (client) where a process would have too many connections.
[[nodiscard]] std::vector<std::shared_ptr<pkcs11::Module>> remote_modules(
    const std::string& name, const config::RemoteSettings& settings);

}  // namespace keystay::remote
