#include "tlsd/starttls/cancel_session.h"

#include <array>

#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tlsd/tcp/proxy_protocol.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

awaitable<void> CancelSession::run() {
  Backend& servers = *client_.backends.fallback;  // without TLS there is no server name for a route
  backend_ = std::make_shared<BackendConnection>(servers.executor());
  if (cut_) co_return;
  if (servers.settings().send_proxy == config::SendProxy::v2)
    backend_->preamble = proxy_header_in_clear(client_.endpoint, client_.server);
  if (const error_code error = co_await servers.connect(*backend_)) {
    if (!cut_) report_unreachable(error);
    co_return;
  }
  const TimeLimit limit(servers.executor(), servers.settings().connect_timeout,
                        [this] { backend_->interrupt(); });
  static_cast<void>(co_await asio::async_write(backend_->socket, asio::buffer(request_), kOutcome));
  std::array<char, 64> discarded;
  for (;;) {
    const auto [error, _] = co_await backend_->socket.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
  }
}

void CancelSession::report_unreachable(error_code error) {
  client_.metrics.backend_fault(connect_fault(error));
  client_.log.warn(client_.endpoint,
                   fmt::format("CancelRequest given up: backend {} cannot be reached: {}",
                               client_.listener.settings.backend, backend_->reason_of(error)));
}

void CancelSession::cut() noexcept {
  cut_ = true;
  if (backend_) backend_->interrupt();
}

}  // namespace keystay::tlsd
