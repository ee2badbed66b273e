// One connection of the load: from connect() until the server has closed it too.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tests/bench/client_settings.h"
#include "tests/support/descriptor.h"

namespace keystay::bench {

using Clock = std::chrono::steady_clock;

// How a client leaves that does not wait for the handshake's end.
enum class Leave { by_fin, by_reset };

// Non-blocking; advance() is called whenever its socket is ready for something it was not ready for before.
class Client final {
 public:
  // Begins to connect. Throws std::system_error if the socket cannot be made.
  Client(const ServerAddress& server, const std::string& server_name, SSL_CTX* context);

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

  // Goes as far as it can without waiting: the handshake, then close_notify and FIN, then waiting for the
  // server's FIN, which says that the server, too, has finished the handshake.
  void advance();

  // Goes until the ClientHello is out, and answers nothing after it.
  void say_hello();
  // Ends the connection here and now.
  void leave(Leave how);
  // The same, as a failure.
  void give_up(std::string reason);

  [[nodiscard]] bool said_hello() const noexcept { return state_ == State::said_hello; }
  [[nodiscard]] Clock::time_point begin() const noexcept { return begin_; }
  // From connect() to the client's Finished; nothing before.
  [[nodiscard]] std::optional<Clock::duration> handshake_time() const noexcept { return handshake_time_; }
  [[nodiscard]] bool closed() const noexcept { return state_ == State::closed; }
  // Why the handshake failed; empty if it did not.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  enum class State { handshaking, said_hello, closing, closed };

  void shake_hands();
  void await_close();
  void fail(int ssl_error);

  test::Descriptor socket_;
  OpenSslPointer<SSL> ssl_;
  State state_ = State::handshaking;
  Clock::time_point begin_ = Clock::now();
  std::optional<Clock::duration> handshake_time_;
  std::string failure_;
};

}  // namespace keystay::bench
