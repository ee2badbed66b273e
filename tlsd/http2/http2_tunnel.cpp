// WebSocket on a stream of HTTP/2 (RFC 8441, section 5): its DATA frames carry the bytes both ways, and its
// ends are those of the two directions.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/write.hpp>

#include "tlsd/http2/http2_stream.h"
#include "tlsd/http2/response_fields.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

// Sec-WebSocket-Accept answers a key that the client has not sent.
awaitable<error_code> Http2Stream::switch_protocols(ResponseParser& response) {
  response.get().erase("Sec-WebSocket-Accept");
  co_return write_head(static_cast<unsigned>(http::status::ok), response.get(), Piece::more);
}

class Http2Stream::Tunnel final {
 public:
  Tunnel(Http2Stream& stream, BackendConnection& backend, std::chrono::milliseconds idle_limit,
         ListenerMetrics& metrics)
      : stream_(stream),
        backend_(backend),
        metrics_(metrics),
        idle_(backend.socket.get_executor(), idle_limit, [this] {
          break_off({RelayOutcome::idle, {}});
        }) {}

  awaitable<void> to_backend() {
    std::string piece;
    while (!stream_.request_ended_ || !stream_.received_.empty()) {
      if (const error_code error = co_await stream_.receive(piece))
        co_return break_off({RelayOutcome::client, error});
      const auto [error, size] = co_await asio::async_write(backend_.socket, asio::buffer(piece), kOutcome);
      metrics_.bytes_from_client().Increment(static_cast<double>(size));
      stream_.consume(piece);
      if (error) co_return break_off({RelayOutcome::backend, error});
      idle_.restart();
    }
    co_await backend_.socket.end_sending();
  }

  awaitable<void> to_client() {
    constexpr std::size_t kSmallPiece = 2048;
    auto& buffer = backend_.buffer;
    for (;;) {
      if (buffer.size() == 0) {
        const auto [error, size] =
            co_await backend_.socket.async_read_some(buffer.prepare(kSmallPiece), kOutcome);
        if (error == asio::error::eof) break;
        if (error) co_return break_off({RelayOutcome::backend, error});
        buffer.commit(size);
      }
      const std::string_view piece = text(buffer);
      if (const error_code error = co_await stream_.write_piece(piece, Piece::more))
        co_return break_off({RelayOutcome::client, error});
      metrics_.bytes_from_backend().Increment(static_cast<double>(piece.size()));
      buffer.consume(piece.size());
      idle_.restart();
    }
    if (const error_code error = co_await stream_.write_piece({}, Piece::last))
      break_off({RelayOutcome::client, error});
  }

  [[nodiscard]] const RelayEnd& end() const noexcept { return end_; }

 private:
  // The first reason counts: what follows comes of it.
  void break_off(RelayEnd end) {
    if (!broken_) end_ = stream_.cut ? RelayEnd{RelayOutcome::server, {}} : end;
    broken_ = true;
    stream_.interrupt();
    backend_.reset();
  }

  Http2Stream& stream_;
  BackendConnection& backend_;
  ListenerMetrics& metrics_;
  RelayEnd end_;
  bool broken_ = false;
  TimeLimit idle_;
};

awaitable<RelayEnd> Http2Stream::tunnel(BackendConnection& backend, std::chrono::milliseconds idle_limit,
                                        ListenerMetrics& metrics) {
  using asio::experimental::awaitable_operators::operator&&;
  reset_code_ = NGHTTP2_CANCEL;
  Tunnel tunnel(*this, backend, idle_limit, metrics);
  co_await (tunnel.to_backend() && tunnel.to_client());
  co_return tunnel.end();
}

}  // namespace keystay::tlsd
