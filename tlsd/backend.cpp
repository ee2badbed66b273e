#include "tlsd/backend.h"

#include <algorithm>

#include <boost/asio/local/stream_protocol.hpp>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

constexpr std::chrono::seconds kSkipped{5};
constexpr std::size_t kMostIdle = 32;
constexpr std::size_t kIdleBuffer = 4096;  // holds a head and a small body

asio::generic::stream_protocol::endpoint endpoint_of(const config::ServerAddress& server) {
  if (const std::string* path = server.socket()) return asio::local::stream_protocol::endpoint(*path);
  return to_tcp(*server.endpoint());
}

}  // namespace

void BackendConnection::interrupt() noexcept {
  interrupted = true;
  error_code ignored;
  socket.cancel(ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

void BackendConnection::reset() noexcept {
  interrupted = true;
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

Backend::Backend(Executor executor, const std::string& name, const config::BackendSettings& settings,
                 Metrics& metrics)
    : executor_(executor), connect_timeout_(settings.connect_timeout), metrics_(metrics.backend(name)) {
  for (const config::ServerAddress& server : settings.servers)
    servers_.push_back({endpoint_of(server), server.text(), metrics.backend_server(name, server.text())});
}

Backend::~Backend() {
  for (const auto& connection : idle_) connection->interrupt();
}

std::vector<Backend::Server*> Backend::order() {
  std::vector<Server*> servers;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    servers.push_back(&servers_[(next_ + i) % servers_.size()]);
  next_ = (next_ + 1) % servers_.size();
  const auto now = Clock::now();
  std::ranges::stable_partition(servers,
                                [now](const Server* server) { return server->skipped_until <= now; });
  return servers;
}

awaitable<error_code> Backend::connect(BackendConnection& connection) {
  error_code error;
  for (Server* server : order()) {
    error = co_await connect(connection, *server);
    if (connection.interrupted) break;
    if (!error) {
      server->state->reached();
      break;
    }
    server->state->failed(error.message());
    server->skipped_until = Clock::now() + kSkipped;
  }
  co_return error;
}

awaitable<error_code> Backend::connect(BackendConnection& connection, const Server& server) {
  error_code error;
  connection.server = server.name;
  connection.socket.close(error);
  connection.socket.open(server.endpoint.protocol(), error);
  if (error) co_return error;
  const TimeLimit limit(executor_, connect_timeout_, [&connection] {
    error_code ignored;
    connection.socket.cancel(ignored);
  });
  const auto [connect_error] = co_await connection.socket.async_connect(server.endpoint, kOutcome);
  if (limit.expired()) co_return asio::error::timed_out;
  // A UNIX socket knows no such option, and no delay.
  if (!connect_error) connection.socket.set_option(tcp::no_delay(true), error);
  co_return connect_error;
}

BackendConnectionPtr Backend::take_idle() {
  while (!idle_.empty()) {
    BackendConnectionPtr connection = std::move(idle_.front());
    idle_.pop_front();
    error_code error;
    connection->socket.cancel(error);  // the watch that give_back() began
    // What came unasked, and was not yet noticed, would be taken for the response to the next request.
    if (connection->socket.available(error) == 0 && !error) return connection;
  }
  return nullptr;
}

// An idle connection is closed at once when its server closes it or sends bytes that no request has asked
// for.
void Backend::give_back(BackendConnectionPtr connection) {
  if (connection->interrupted || idle_.size() >= kMostIdle) return;
  if (connection->buffer.capacity() > kIdleBuffer) connection->buffer.shrink_to_fit();
  idle_.push_front(connection);
  connection->socket.async_wait(Socket::wait_read,
                                [backend = weak_from_this(), connection](error_code error) {
                                  if (error) return;
                                  if (const auto owner = backend.lock()) owner->idle_.remove(connection);
                                });
}

}  // namespace keystay::tlsd
