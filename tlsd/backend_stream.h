// The connection to a server behind: plain, or TLS on top of it. An AsyncReadStream and AsyncWriteStream.
#pragma once

#include <memory>
#include <utility>

#include "tlsd/execution.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// Not final, and not to be moved: as TlsStream.
class BackendStream {
 public:
  using executor_type = Executor;

  explicit BackendStream(Executor executor) : socket_(executor) {}
  BackendStream(const BackendStream&) = delete;
  BackendStream& operator=(const BackendStream&) = delete;

  [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }

  // Opens a fresh socket in place of whatever was there, and connects it.
  [[nodiscard]] awaitable<error_code> connect(const asio::generic::stream_protocol::endpoint& endpoint);
  // The handshake of a client on the socket that is connected. The SSL is in connect state.
  [[nodiscard]] awaitable<HandshakeResult> start_tls(SslHandle ssl, TlsThread& thread,
                                                     std::chrono::milliseconds limit);

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_read_some(buffers, std::forward<Token>(token))
                : socket_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return tls_ ? tls_->async_write_some(buffers, std::forward<Token>(token))
                : socket_.async_write_some(buffers, std::forward<Token>(token));
  }

  // The other side sees an end in order: FIN, after close_notify where there is TLS.
  [[nodiscard]] awaitable<void> end_sending();

  // Until there is something to read. `handler` takes an error_code.
  template <typename Handler>
  void async_wait_readable(Handler handler) {
    if (tls_) return tls_->socket().async_wait(Socket::wait_read, std::move(handler));
    socket_.async_wait(Socket::wait_read, std::move(handler));
  }
  // Of a connection that nothing is expected on: neither closed nor with bytes of the other side. Reads what
  // TLS itself sends, such as tickets.
  [[nodiscard]] bool is_quiet() noexcept;

  // Ends the operations that have begun.
  void cancel() noexcept;
  void shut_down() noexcept;
  // The other side sees a reset.
  void reset() noexcept;

  // What TLS says about an error that it ended with; empty without TLS.
  [[nodiscard]] std::string tls_failure() const { return tls_ ? tls_->failure_reason() : std::string(); }

  // For another connection to the same server; null without TLS, or where the server gave none.
  [[nodiscard]] SslSession session() const;

 private:
  BackendSocket socket_;            // without TLS
  std::unique_ptr<TlsStream> tls_;  // has taken the socket over
};

}  // namespace keystay::tlsd
