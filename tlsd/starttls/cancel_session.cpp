#include "tlsd/starttls/cancel_session.h"

#include <array>

#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "tlsd/tcp/proxy_protocol.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

awaitable<void> CancelSession::run() {
  backend_ = std::make_shared<BackendConnection>(client_.backend.executor());
  if (cut_) co_return;
  if (const error_code error = co_await client_.backend.connect(*backend_)) {
    if (cut_) co_return;
    client_.metrics.backend_fault(error == asio::error::timed_out ? BackendFault::timed_out
                                                                  : BackendFault::unreachable);
    client_.log.warn(client_.endpoint, fmt::format("CancelRequest given up: backend {} cannot be reached: {}",
                                                   client_.listener.settings.backend, error.message()));
    co_return;
  }
  const TimeLimit limit(client_.backend.executor(), client_.listener.backend.connect_timeout,
                        [this] { backend_->interrupt(); });
  if (client_.listener.backend.send_proxy == config::SendProxy::v2)
    request_.insert(0, proxy_header_in_clear(client_.endpoint, client_.server));
  static_cast<void>(co_await asio::async_write(backend_->socket, asio::buffer(request_), kOutcome));
  std::array<char, 64> discarded;
  for (;;) {
    const auto [error, _] = co_await backend_->socket.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
  }
}

void CancelSession::cut() noexcept {
  cut_ = true;
  if (backend_) backend_->interrupt();
}

}  // namespace keystay::tlsd
