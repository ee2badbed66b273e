// keystay-relay as seen from the process that uses a token on another machine: it is started at the first
// use, one per process and token, and makes the connections by mutual TLS, so that no libssl comes into this
// process.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/remote/connector.h"

namespace keystay::remote {

class RelayProcess final : public Connector {
 public:
  explicit RelayProcess(config::RemoteSettings settings);

  // Steps are name resolution, TCP, TLS and p11-kit.
  [[nodiscard]] Connection connect(pkcs11::Deadline deadline) override;

 private:
  struct State {
    ~State();
    pkcs11::Mutex mutex;
    config::FileDescriptor control KEYSTAY_GUARDED_BY(mutex){-1};  // its end is the relay's end
  };

  void start(State& state) KEYSTAY_REQUIRES(state.mutex);
  // The near end of a new connection. Starts the relay where none runs.
  [[nodiscard]] config::FileDescriptor open_lane(State& state);
  [[nodiscard]] std::optional<std::string> greeting_of(State& state, config::FileDescriptor& socket,
                                                       pkcs11::Deadline deadline);

  pkcs11::PerProcess<State> state_;
};

}  // namespace keystay::remote
