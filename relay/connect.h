// A connection to `p11-kit server` on another machine, behind a TLS endpoint.
#pragma once

#include <memory>
#include <string>

#include "native/config/remote_settings.h"
#include "native/pkcs11/pin.h"
#include "relay/asio.h"

namespace keystay::relay {

// To one of the endpoints: the first that answers.
struct Reached {
  std::unique_ptr<Tls> tls;  // none where no endpoint could be reached
  int version = 0;           // of p11-kit's protocol, the lower of both sides
  std::string endpoint;      // or, without tls, what failed at each of them, and in which step
};

[[nodiscard]] awaitable<Reached> connect(const config::RemoteSettings& settings, const pkcs11::Pin& password);

}  // namespace keystay::relay
