// One client's connection, from accept to close.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tlsd/accept/address_limits.h"
#include "tlsd/accept/connection_limit.h"
#include "tlsd/access_log/access_log.h"
#include "tlsd/admin/client_log.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/admin/remote_health.h"
#include "tlsd/protocol_handler.h"
#include "tlsd/routed_backends.h"
#include "tlsd/snapshot.h"
#include "tlsd/time_limit.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

class ClearText;
struct ClearProtocol;

// A listener as the connections of one thread see it.
struct ListenerOnThread {
  std::shared_ptr<const ListenerSnapshot> snapshot;  // replaced by a reload
  std::shared_ptr<const RoutedBackends> backends;    // of that snapshot
  ListenerMetrics& metrics;
  ClientLog log;
  AccessLog access_log;
  std::shared_ptr<AddressLimits> addresses;  // of all threads
  const RemoteHealth& health;
};

class Connection final : public std::enable_shared_from_this<Connection> {
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
  // Before TLS, in connection_opening.cpp. False once the connection is to end, which was reported.
  [[nodiscard]] awaitable<bool> open(Clock::time_point end);
  [[nodiscard]] awaitable<bool> read_proxy_header(ClearText& clear);
  [[nodiscard]] bool admit();
  [[nodiscard]] awaitable<bool> start_tls(ClearText& clear);
  [[nodiscard]] awaitable<bool> answer_in_clear(ClearText& clear, const ClearProtocol& protocol);
  void report_end_in_clear(const ClearText& clear, std::string_view missing);

  [[nodiscard]] awaitable<bool> shake_hands(Clock::time_point end);
  void report(const HandshakeResult& result);
  [[nodiscard]] awaitable<void> answer_plain_http();
  [[nodiscard]] awaitable<void> let_alert_be_read();
  // Ends the sending side, and reads until the client has ended its own.
  [[nodiscard]] awaitable<void> discard_input();
  // For a client that is to read what it was sent last; it is cut off at the end.
  [[nodiscard]] TimeLimit time_to_leave(std::chrono::seconds time);

  ConnectionLimit::Place place_;
  std::optional<AddressLimits::Place> address_place_;
  ListenerOnThread& listener_;
  std::shared_ptr<const ListenerSnapshot> snapshot_;  // this connection's, whatever is loaded later
  std::shared_ptr<const RoutedBackends> backends_;
  tcp::endpoint client_;        // as a proxy of accept-proxy names it; unspecified on a UNIX socket
  tcp::endpoint server_;        // that it connected to, likewise
  std::string cancel_request_;  // of PostgreSQL: it came in place of TLS
  TlsStream stream_;
  std::unique_ptr<ProtocolHandler> handler_;  // none before the end of the handshake
  bool opening_ = false;                      // before TLS
  bool draining_ = false;
  bool cut_ = false;
};

}  // namespace keystay::tlsd
