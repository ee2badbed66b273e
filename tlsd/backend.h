// The servers behind a listener, as one I/O thread sees them: connections to them, and idle ones to use
// again.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <vector>

#include <boost/beast/core/flat_buffer.hpp>

#include "native/config/tlsd_settings.h"
#include "tlsd/admin/metrics.h"
#include "tlsd/backend_servers.h"
#include "tlsd/backend_stream.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

// No server of the backend is in service.
[[nodiscard]] error_code no_server() noexcept;
// What an error of Backend::connect() counts as.
[[nodiscard]] BackendFault connect_fault(error_code error) noexcept;

// What a server has in flight: one request, or one connection of mode tcp. Counted while this object has the
// server.
class ServerUse final {
 public:
  ServerUse() = default;
  explicit ServerUse(std::shared_ptr<BackendServer> server) noexcept;
  ServerUse(ServerUse&& other) noexcept = default;
  ServerUse& operator=(ServerUse&& other) noexcept;
  ServerUse(const ServerUse&) = delete;
  ServerUse& operator=(const ServerUse&) = delete;
  ~ServerUse();

 private:
  std::shared_ptr<BackendServer> server_;
};

// One connection to one server.
struct BackendConnection {
  explicit BackendConnection(Executor executor) : socket(executor) {}

  // Ends every wait on it, now and later: the connection is of no more use.
  void interrupt() noexcept;
  // Likewise, and the server sees a reset: what it got so far must not pass for all.
  void reset() noexcept;
  // What the log says of an error: why connect() failed, or what TLS says, where the error alone does not.
  [[nodiscard]] std::string reason_of(error_code error) const;

  BackendStream socket;
  std::string server;                    // that it is connected to, or was to be; for messages
  std::shared_ptr<BackendServer> state;  // of that server
  ServerUse use;                         // none while the connection is idle
  boost::beast::flat_buffer buffer;      // what came behind the last response
  std::string preamble;                  // sent in front of everything else, TLS too
  std::string failure;                   // why connect() failed, where the error_code does not say it
  bool interrupted = false;
};

// Connects to one server, and does what comes before its protocol: the preamble, and the handshake of TLS
// with `session` to resume. `limit` is for connection and preamble, and again for the handshake.
struct ConnectTerms {
  const BackendTls* tls;  // null: plain
  TlsThread& thread;
  std::chrono::milliseconds limit;
  SSL_SESSION* session = nullptr;
};
[[nodiscard]] awaitable<error_code> connect_to(BackendConnection& connection, const ServerPlace& place,
                                               ConnectTerms terms);

using BackendConnectionPtr = std::shared_ptr<BackendConnection>;

class Backend final : public std::enable_shared_from_this<Backend> {
 public:
  Backend(Executor executor, std::shared_ptr<BackendServers> servers, TlsThread& thread);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend();  // closes the idle connections

  [[nodiscard]] const std::string& name() const noexcept { return shared_->name(); }
  [[nodiscard]] const config::BackendSettings& settings() const noexcept { return shared_->settings(); }

  // Connects to one of the servers that are in service, as `balance` has it, and to others where that fails;
  // those that failed a moment ago come last. The error is that of the last one tried: timed_out, or what the
  // system says; no_server() where there was none to try.
  [[nodiscard]] awaitable<error_code> connect(BackendConnection& connection);

  // A connection to the server whose turn it is, that served before and that the server has not closed; null
  // if there is none, and then it is still that server's turn.
  [[nodiscard]] BackendConnectionPtr take_idle();
  void give_back(BackendConnectionPtr connection);
  // Of a connection that is not given back: another one may resume its TLS session.
  void remember_session(const BackendConnection& connection);

  [[nodiscard]] Executor executor() const noexcept { return executor_; }
  [[nodiscard]] BackendMetrics& metrics() noexcept { return shared_->metrics(); }

 private:
  struct Server {
    ServerPlace place;
    Clock::time_point skipped_until{};
    SslSession session = nullptr;  // of TLS, to be resumed
  };
  using Servers = std::vector<std::shared_ptr<Server>>;

  void update_servers();
  void watch(BackendConnectionPtr connection);
  [[nodiscard]] std::shared_ptr<Server> next(const Servers& tried) const;

  Executor executor_;
  std::shared_ptr<BackendServers> shared_;
  TlsThread& thread_;
  Servers servers_;
  std::uint64_t version_ = 0;  // of shared_, that servers_ shows
  std::size_t turn_;           // whose turn it is
  std::list<BackendConnectionPtr> idle_;
};

}  // namespace keystay::tlsd
