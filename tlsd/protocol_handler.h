// What a listener does with a connection once TLS is established. One handler for each protocol; which one is
// chosen after the handshake, when the mode of the listener and the client's ALPN (RFC 7301) are known.
#pragma once

#include <memory>

#include "tlsd/access_log/access_log.h"
#include "tlsd/admin/client_log.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/admin/remote_health.h"
#include "tlsd/execution.h"
#include "tlsd/routed_backends.h"
#include "tlsd/snapshot.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// A client whose handshake is complete, or whose connection has none, and what the handler may use. All of it
// belongs to the connection and outlives the handler.
struct TlsClient {
  std::weak_ptr<void> connection;  // keeps the others, for coroutines beside run()
  TlsStream& stream;
  const tcp::endpoint&
      endpoint;  // the client's, as a proxy names it where one does; unspecified on a UNIX socket
  const tcp::endpoint& server;  // what it connected to, likewise
  const ListenerSnapshot& listener;
  const RoutedBackends& backends;
  ListenerMetrics& metrics;
  ClientLog& log;
  AccessLog& access_log;
  const RemoteHealth& health;
};

// Everything happens on the thread of the connection.
class ProtocolHandler {
 public:
  ProtocolHandler() = default;
  ProtocolHandler(const ProtocolHandler&) = delete;
  ProtocolHandler& operator=(const ProtocolHandler&) = delete;
  virtual ~ProtocolHandler() = default;

  // Until the connection is closed in order, or is to be dropped. Once.
  [[nodiscard]] virtual awaitable<void> run() = 0;

  // The server stops: ends run() when what is in flight has ended. At most once, before run() or during it.
  virtual void drain() noexcept = 0;
  // Ends run() now: gives up on the backend, for good. The client's stream was cut before.
  virtual void cut() noexcept = 0;
};

[[nodiscard]] std::unique_ptr<ProtocolHandler> make_protocol_handler(const TlsClient& client);

}  // namespace keystay::tlsd
