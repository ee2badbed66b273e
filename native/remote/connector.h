// How a lane comes to a connection.
#pragma once

#include <string>

#include "native/config/file_descriptor.h"
#include "native/config/remote_settings.h"
#include "native/pkcs11/cryptoki.h"
#include "native/remote/rpc_message.h"

namespace keystay::remote {

// A connection to `p11-kit server`: what is written to `socket` comes out there, and back.
struct Connection {
  config::FileDescriptor socket;
  Version version;
  std::string endpoint;  // of those configured, the one that it leads to
};

// Thread-safe.
class Connector {
 public:
  explicit Connector(config::RemoteSettings settings) : settings_(std::move(settings)) {}
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  virtual ~Connector() = default;

  // Throws pkcs11::Error (server): what failed at each endpoint, and in which step.
  [[nodiscard]] virtual Connection connect(pkcs11::Deadline deadline) = 0;

  [[nodiscard]] const config::RemoteSettings& settings() const noexcept { return settings_; }

 private:
  config::RemoteSettings settings_;
};

}  // namespace keystay::remote
