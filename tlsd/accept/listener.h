// Accepts connections on one address, on one thread.
#pragma once

#include <functional>
#include <memory>

#include <prometheus/counter.h>

#include "tlsd/accept/accept_backoff.h"
#include "tlsd/accept/connection_limit.h"
#include "tlsd/async_wait.h"

namespace keystay::tlsd {

class Listener final {
 public:
  // What becomes of an accepted connection.
  using Serve = std::function<void(Socket, ConnectionLimit::Place)>;

  Listener(Acceptor acceptor, std::shared_ptr<ConnectionLimit> limit, prometheus::Counter& errors,
           Serve serve);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Accepts until stop(); calls `on_end` then. Neither failures of accept nor exceptions end it.
  void start(std::function<void()> on_end);

  // Connections that the kernel has taken already are still served.
  void stop() noexcept;

 private:
  class Running;

  void spawn();
  void spawn_again() noexcept;
  [[nodiscard]] awaitable<void> run();
  [[nodiscard]] awaitable<void> accept_some();
  [[nodiscard]] awaitable<std::optional<ConnectionLimit::Place>> take_place();
  [[nodiscard]] awaitable<void> back_off(error_code error);
  [[nodiscard]] error_code accept(ConnectionLimit::Place place);
  [[nodiscard]] error_code serve(Socket socket, ConnectionLimit::Place place);
  void accept_backlog();

  Acceptor acceptor_;
  std::shared_ptr<ConnectionLimit> limit_;
  prometheus::Counter& errors_;
  Serve serve_;
  std::function<void()> on_end_;
  std::shared_ptr<AsyncWait> wait_;  // for a place, or for stop()
  Timer pause_;
  AcceptBackoff backoff_;
  ReserveDescriptor reserve_;
  bool stopping_ = false;
  std::shared_ptr<Listener> self_{this,
                                  [](Listener*) {}};  // owns nothing: what outlives us sees that we are gone
};

}  // namespace keystay::tlsd
