// keystay-relay as seen from the process that uses a token on another machine: it is started at the first
// use, one per process and token, and makes the connections by mutual TLS, so that no libssl comes into this
// process.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/pkcs11/pin.h"
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
    std::uint64_t relay KEYSTAY_GUARDED_BY(mutex) = 0;             // how many have been started
  };
  // A new connection that the relay was asked for.
  struct Asked {
    config::FileDescriptor near;
    std::uint64_t relay;
  };

  void start(State& state) KEYSTAY_REQUIRES(state.mutex);
  // Starts the relay where none runs, or the one that does takes nothing.
  [[nodiscard]] Asked ask(State& state, const pkcs11::Pin& password);
  // Of `pkcs12`, read at each connection, as the relay reads the files: from what this process has, whose
  // environment and credentials the relay does not see.
  [[nodiscard]] pkcs11::Pin password() const;
  // Ends the relay if it is still this one and has not even read what it was asked for; returns whether.
  [[nodiscard]] static bool give_up(State& state, std::uint64_t relay);
  // The line in which the relay reports the result; nothing if it has ended. Throws Error if it says nothing
  // until the deadline.
  [[nodiscard]] static std::optional<std::string> greeting_of(State& state, const Asked& asked,
                                                              pkcs11::Deadline deadline);

  pkcs11::PerProcess<State> state_;
};

}  // namespace keystay::remote
