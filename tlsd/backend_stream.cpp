#include "tlsd/backend_stream.h"

#include <array>

namespace keystay::tlsd {

awaitable<error_code> BackendStream::connect(const asio::generic::stream_protocol::endpoint& endpoint) {
  tls_.reset();
  error_code error;
  socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (error) co_return error;
  const auto [connect_error] = co_await socket_.async_connect(endpoint, kOutcome);
  // A UNIX socket knows no such option, and no delay.
  if (!connect_error) socket_.set_option(tcp::no_delay(true), error);
  co_return connect_error;
}

awaitable<HandshakeResult> BackendStream::start_tls(SslHandle ssl, TlsThread& thread,
                                                    std::chrono::milliseconds limit) {
  tls_ = std::make_unique<TlsStream>(std::move(socket_), std::move(ssl), thread);
  co_return co_await tls_->handshake(limit);
}

awaitable<void> BackendStream::end_sending() {
  if (tls_) co_return co_await tls_->close_notify();
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

bool BackendStream::is_quiet() noexcept {
  if (tls_) return tls_->is_quiet();
  error_code error;
  return socket_.available(error) == 0 && !error;
}

void BackendStream::cancel() noexcept {
  error_code ignored;
  if (tls_) return static_cast<void>(tls_->socket().cancel(ignored));
  socket_.cancel(ignored);
}

void BackendStream::shut_down() noexcept {
  error_code ignored;
  if (tls_) {
    tls_->cut();
    tls_->socket().shutdown(Socket::shutdown_both, ignored);
    return;
  }
  socket_.cancel(ignored);
  socket_.shutdown(Socket::shutdown_both, ignored);
}

void BackendStream::reset() noexcept {
  error_code ignored;
  const asio::socket_base::linger at_once(true, 0);
  if (tls_) {
    tls_->cut();
    tls_->socket().set_option(at_once, ignored);
    tls_->socket().close(ignored);
    return;
  }
  socket_.set_option(at_once, ignored);
  socket_.close(ignored);
}

SslSession BackendStream::session() const { return tls_ ? tls_->session() : nullptr; }

}  // namespace keystay::tlsd
