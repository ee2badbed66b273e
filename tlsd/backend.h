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
#include "tlsd/execution.h"

namespace keystay::tlsd {

// One connection to one server.
struct BackendConnection {
  explicit BackendConnection(Executor executor) : socket(executor) {}

  // Ends every wait on it, now and later: the connection is of no more use.
  void interrupt() noexcept;
  // Likewise, and the server sees a reset: what it got so far must not pass for all.
  void reset() noexcept;

  BackendSocket socket;
  std::string server;                // that it is connected to, or was to be; for messages
  boost::beast::flat_buffer buffer;  // what came behind the last response
  bool interrupted = false;
};

using BackendConnectionPtr = std::shared_ptr<BackendConnection>;

class Backend final : public std::enable_shared_from_this<Backend> {
 public:
  Backend(Executor executor, const std::string& name, const config::BackendSettings& settings,
          Metrics& metrics);
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend();  // closes the idle connections

  // Connects to one of the servers, each in its turn; those that failed a moment ago come last. The error is
  // that of the last one tried: timed_out, or what the system says.
  [[nodiscard]] awaitable<error_code> connect(BackendConnection& connection);

  // A connection that served before and that the server has not closed; null if there is none.
  [[nodiscard]] BackendConnectionPtr take_idle();
  void give_back(BackendConnectionPtr connection);

  [[nodiscard]] Executor executor() const noexcept { return executor_; }
  [[nodiscard]] BackendMetrics& metrics() noexcept { return *metrics_; }

 private:
  struct Server {
    asio::generic::stream_protocol::endpoint endpoint;
    std::string name;
    std::shared_ptr<BackendServer> state;
    Clock::time_point skipped_until{};
  };

  [[nodiscard]] std::vector<Server*> order();
  [[nodiscard]] awaitable<error_code> connect(BackendConnection& connection, const Server& server);

  Executor executor_;
  std::chrono::milliseconds connect_timeout_;
  std::shared_ptr<BackendMetrics> metrics_;
  std::vector<Server> servers_;
  std::size_t next_ = 0;
  std::list<BackendConnectionPtr> idle_;
};

}  // namespace keystay::tlsd
