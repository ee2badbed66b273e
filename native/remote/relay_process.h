// keystay-relay as seen from the process that uses a token on another machine: it is started at the first
// use, one per process and token, and makes the connections by mutual TLS, so that no libssl comes into this
// process.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "native/config/file_descriptor.h"
#include "native/config/remote_settings.h"
#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/per_process.h"
#include "native/remote/rpc_message.h"

namespace keystay::remote {

// A connection to `p11-kit server`: what is written to `socket` comes out there, and back.
struct Connection {
  config::FileDescriptor socket;
  Version version;
  std::string endpoint;  // of those configured, the one that it leads to
};

// Thread-safe.
class RelayProcess final {
 public:
  explicit RelayProcess(config::RemoteSettings settings);

  // Throws pkcs11::Error (server): what failed at each endpoint, in name resolution, TCP, TLS or p11-kit.
  [[nodiscard]] Connection connect(pkcs11::Deadline deadline);

  [[nodiscard]] const config::RemoteSettings& settings() const noexcept { return settings_; }

 private:
  struct State {
    ~State();
    std::mutex mutex;
    config::FileDescriptor control{-1};  // its end is the relay's end
  };

  void start(State& state);
  // The near end of a new connection. Starts the relay where none runs.
  [[nodiscard]] config::FileDescriptor open_lane(State& state);
  [[nodiscard]] std::optional<std::string> greeting_of(State& state, config::FileDescriptor& socket,
                                                       pkcs11::Deadline deadline);

  config::RemoteSettings settings_;
  pkcs11::PerProcess<State> state_;
};

}  // namespace keystay::remote
