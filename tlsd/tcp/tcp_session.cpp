#include "tlsd/tcp/tcp_session.h"

#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/tcp/proxy_protocol.h"
#include "tlsd/tcp/relay_report.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

// In the access log.
constexpr unsigned kSessionCompleted = 200;  // whoever ended it
constexpr unsigned kBadGateway = 502;        // no server could be reached

}  // namespace

awaitable<void> TcpSession::run() {
  error_code error = co_await connect();
  if (!error && client_.listener.backend.send_proxy == config::SendProxy::v2)
    error = co_await introduce_client();
  if (error) co_return report_unreachable(error);
  RelayEnd end = co_await relay_bytes(client_.stream, buffer_, *backend_,
                                      client_.listener.settings.idle_timeout, client_.metrics);
  if (cut_) end = {RelayOutcome::server, {}};
  report_relay(end, "connection", client_.endpoint, server(), client_.metrics, client_.log);
  write_access(end, kSessionCompleted);
}

void TcpSession::cut() noexcept {
  cut_ = true;
  if (backend_) backend_->interrupt();
}

awaitable<error_code> TcpSession::connect() {
  backend_ = std::make_shared<BackendConnection>(client_.backend.executor());
  if (cut_) co_return asio::error::operation_aborted;
  co_return co_await client_.backend.connect(*backend_);
}

// In front of everything else; a server takes it at once, since its buffers are empty.
awaitable<error_code> TcpSession::introduce_client() {
  error_code error;
  const tcp::endpoint here = client_.stream.socket().local_endpoint(error);
  if (error) co_return error;
  const std::string header = proxy_header(client_.endpoint, here, client_.stream.agreed());
  const TimeLimit limit(client_.backend.executor(), client_.listener.backend.connect_timeout,
                        [this] { backend_->interrupt(); });
  const auto [write_error, _] = co_await asio::async_write(backend_->socket, asio::buffer(header), kOutcome);
  co_return limit.expired() ? error_code(asio::error::timed_out) : write_error;
}

// The client sees the end of its connection without close_notify: nothing was said to it in order.
void TcpSession::report_unreachable(error_code error) {
  write_access({cut_ ? RelayOutcome::server : RelayOutcome::backend, error}, kBadGateway);
  if (cut_) return client_.metrics.relay_ended(RelayOutcome::server);
  const bool late = error == asio::error::timed_out;
  client_.metrics.backend_fault(late ? BackendFault::timed_out : BackendFault::unreachable);
  client_.metrics.relay_ended(RelayOutcome::backend);
  client_.log.warn(client_.endpoint, fmt::format("connection given up: {} cannot be reached{}: {}", server(),
                                                 late ? " in time" : "", error.message()));
}

// The status is that of nginx for a session of its module "stream".
void TcpSession::write_access(const RelayEnd& end, unsigned status) {
  if (!client_.access_log.active()) return;
  const std::optional<ClientIdentity> identity = client_.stream.client();
  AccessRecord record{
      .kind = AccessRecord::Kind::connection,
      .begin = wall_begin_,
      .duration = Clock::now() - begin_,
      .client = client_.endpoint,
      .status = status,
      .bytes_in = client_.stream.bytes_read(),
      .bytes_out = client_.stream.bytes_written(),
      .body_bytes = client_.stream.bytes_written(),
      .backend = client_.listener.settings.backend,
      .server = backend_->server,
      .end = end.outcome,
      .tls = client_.stream.agreed(),
      .identity = identity ? &*identity : nullptr,
  };
  client_.access_log.write(record);
}

std::string TcpSession::server() const {
  const bool known = !backend_->server.empty();
  return "backend " + client_.listener.settings.backend + (known ? ", " + backend_->server : "");
}

}  // namespace keystay::tlsd
