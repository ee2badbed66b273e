// One connection to a token on another machine. The server at its end is a process of its own, with a login,
// sessions and handles of its own, and does one call at a time.
#pragma once

#include <memory>
#include <string>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/per_process.h"
#include "native/remote/connector.h"
#include "native/remote/received_bytes.h"
#include "native/remote/rpc_message.h"

namespace keystay::remote {

// Thread-safe: calls wait for each other. A child that was forked has a lane of its own, which is not open.
class Lane final {
 public:
  explicit Lane(std::shared_ptr<Connector> connector);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Connects. Throws pkcs11::Error (server) with the reason.
  void open();
  void close() noexcept;
  [[nodiscard]] bool is_open();

  // The server's, of the last connection.
  [[nodiscard]] Version version();

  // Sends the request and waits for its response, for response_timeout at most, however its bytes come in.
  // Throws pkcs11::Error: (session lost) where the connection is gone, or was not open; (server) where no
  // response comes, and closes the connection then, which takes every thread out of it.
  [[nodiscard]] Response call(Request& request);

  struct Two {
    Response first;
    Response second;
  };
  // Two requests on one way to the server and back, in the time of one. The second is made whatever the
  // first returns.
  [[nodiscard]] Two call(Request& first, Request& second);

 private:
  struct State {
    ~State();
    // Also the copies of the socket that children of this process may have: the relay sees the end at once.
    void shut() noexcept KEYSTAY_REQUIRES(mutex);
    pkcs11::Mutex mutex;
    config::FileDescriptor socket KEYSTAY_GUARDED_BY(mutex){-1};
    ReceivedBytes received KEYSTAY_GUARDED_BY(mutex);
    Version version KEYSTAY_GUARDED_BY(mutex) = Version::v0;
    std::string endpoint KEYSTAY_GUARDED_BY(mutex);
    std::uint32_t code KEYSTAY_GUARDED_BY(mutex) = 0;  // of the last request
  };

  void require_open(const State& state) const KEYSTAY_REQUIRES(state.mutex);
  void send(State& state, ByteView data, Call call) const KEYSTAY_REQUIRES(state.mutex);
  [[nodiscard]] Response receive(State& state, std::uint32_t code, Call call, pkcs11::Deadline deadline) const
      KEYSTAY_REQUIRES(state.mutex);
  [[nodiscard]] pkcs11::Deadline response_deadline() const;
  [[nodiscard]] Bytes read_part(State& state, std::size_t size, pkcs11::Deadline deadline, Call call) const
      KEYSTAY_REQUIRES(state.mutex);
  void read(State& state, std::span<std::uint8_t> place, pkcs11::Deadline deadline, Call call) const
      KEYSTAY_REQUIRES(state.mutex);
  void receive_some(State& state, pkcs11::Deadline deadline, Call call) const KEYSTAY_REQUIRES(state.mutex);
  void wait_for_bytes(State& state, pkcs11::Deadline deadline, Call call) const KEYSTAY_REQUIRES(state.mutex);
  [[noreturn]] static void lost(State& state, Call call) KEYSTAY_REQUIRES(state.mutex);

  std::shared_ptr<Connector> connector_;
  pkcs11::PerProcess<State> state_;
};

}  // namespace keystay::remote
