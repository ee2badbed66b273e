#include "tlsd/tunnel.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include "tlsd/http.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

using boost::beast::flat_buffer;

// Until the input ends in order (true) or something fails (false).
template <typename Input, typename Output>
awaitable<bool> pump(Input& input, flat_buffer& buffer, Output& output, TimeLimit& idle) {
  for (;;) {
    if (buffer.size() == 0) {
      const auto [error, size] = co_await input.async_read_some(buffer.prepare(kPiece), kOutcome);
      if (error) co_return error == asio::error::eof;
      buffer.commit(size);
    }
    const auto [error, size] = co_await asio::async_write(output, buffer.data(), kOutcome);
    if (error) co_return false;
    buffer.consume(size);
    idle.restart();
  }
}

class Tunnel final {
 public:
  Tunnel(TlsStream& client, BackendConnection& backend, std::chrono::milliseconds idle_limit)
      : client_(client), backend_(backend), idle_(client.get_executor(), idle_limit, [this] { end(); }) {}

  awaitable<void> to_backend(flat_buffer& buffer) {
    const bool in_order = co_await pump(client_, buffer, backend_.socket, idle_);
    if (!in_order) co_return end();
    error_code ignored;
    backend_.socket.shutdown(Socket::shutdown_send, ignored);
  }

  awaitable<void> to_client(flat_buffer& buffer) {
    const bool in_order = co_await pump(backend_.socket, buffer, client_, idle_);
    if (!in_order) co_return end();
    co_await client_.close_notify();
  }

 private:
  void end() noexcept {
    client_.interrupt();
    backend_.interrupt();
  }

  TlsStream& client_;
  BackendConnection& backend_;
  TimeLimit idle_;
};

}  // namespace

awaitable<void> tunnel(TlsStream& client, flat_buffer& client_buffer, BackendConnection& backend,
                       std::chrono::milliseconds idle_limit) {
  using asio::experimental::awaitable_operators::operator&&;
  Tunnel tunnel(client, backend, idle_limit);
  co_await (tunnel.to_backend(client_buffer) && tunnel.to_client(backend.buffer));
}

}  // namespace keystay::tlsd
