// One client's connection, from accept to close.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "tlsd/accept/connection_limit.h"
#include "tlsd/access_log/access_log.h"
#include "tlsd/admin/client_log.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/backend.h"
#include "tlsd/protocol_handler.h"
#include "tlsd/snapshot.h"
#include "tlsd/time_limit.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// A listener as the connections of one thread see it.
struct ListenerOnThread {
  std::shared_ptr<const ListenerSnapshot> snapshot;  // replaced by a reload
  std::shared_ptr<Backend> backend;                  // of that snapshot
  ListenerMetrics& metrics;
  ClientLog log;
  AccessLog access_log;
};

class Connection final {
 public:
  Connection(Socket socket, ConnectionLimit::Place place, ListenerOnThread& listener, TlsThread& tls);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] awaitable<void> run();

  // A handshake in flight is finished first, and what the protocol has in flight.
  void drain() noexcept;
  // Whatever is in flight ends now.
  void cut() noexcept;

  // Counts and logs that an exception ended it.
  void report(std::string_view why) noexcept;

 private:
  [[nodiscard]] awaitable<bool> shake_hands();
  void report(const HandshakeResult& result);
  [[nodiscard]] awaitable<void> answer_plain_http();
  [[nodiscard]] awaitable<void> let_alert_be_read();
  // Ends the sending side, and reads until the client has ended its own.
  [[nodiscard]] awaitable<void> discard_input();
  // For a client that is to read what it was sent last; it is cut off at the end.
  [[nodiscard]] TimeLimit time_to_leave(std::chrono::seconds time);

  ConnectionLimit::Place place_;
  ListenerOnThread& listener_;
  std::shared_ptr<const ListenerSnapshot> snapshot_;  // this connection's, whatever is loaded later
  std::shared_ptr<Backend> backend_;
  tcp::endpoint client_;
  TlsStream stream_;
  std::unique_ptr<ProtocolHandler> handler_;  // none before the end of the handshake
  bool draining_ = false;
};

}  // namespace keystay::tlsd
