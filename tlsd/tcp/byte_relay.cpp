#include "tlsd/tcp/byte_relay.h"

#include <algorithm>
#include <array>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "tlsd/http/http.h"
#include "tlsd/time_limit.h"
#include "tlsd/write_all.h"

namespace keystay::tlsd {
namespace {

using boost::beast::flat_buffer;

constexpr std::size_t kSmallPiece = 2048;  // of a connection that is idle, or interactive

// How much to read next: few connections of many are busy at once.
class PieceSize final {
 public:
  [[nodiscard]] std::size_t next() const noexcept { return next_; }

  void update(flat_buffer& buffer, std::size_t size) {
    if (size >= next_) next_ = next_ == kSmallPiece ? kPiece : std::min(2 * next_, kLargestPiece);
    if (size >= kSmallPiece) return;
    next_ = kSmallPiece;
    if (buffer.capacity() > kSmallPiece) buffer.shrink_to_fit();
  }

 private:
  std::size_t next_ = kSmallPiece;
};

class ByteRelay final {
 public:
  ByteRelay(TlsStream& client, BackendConnection& backend, std::chrono::milliseconds idle_limit,
            ListenerMetrics& metrics)
      : client_(client),
        backend_(backend),
        metrics_(metrics),
        idle_(client.get_executor(), idle_limit, [this] {
          break_off({RelayOutcome::idle, {}});
        }) {}

  awaitable<void> to_backend(flat_buffer& buffer) {
    const Way way{RelayOutcome::client, RelayOutcome::backend, metrics_.bytes_from_client()};
    const bool in_order = co_await pump(client_, buffer, backend_.socket, way);
    if (!in_order) co_return;
    co_await backend_.socket.end_sending();
  }

  awaitable<void> to_client(flat_buffer& buffer) {
    const Way way{RelayOutcome::backend, RelayOutcome::client, metrics_.bytes_from_backend()};
    const bool in_order = co_await pump(backend_.socket, buffer, client_, way);
    if (in_order) co_await client_.close_notify();
  }

  [[nodiscard]] const RelayEnd& end() const noexcept { return end_; }

 private:
  struct Way {
    RelayOutcome input_failed;
    RelayOutcome output_failed;
    prometheus::Counter& bytes;
  };

  // Until the input ends (true) or something fails (false).
  template <typename Input, typename Output>
  awaitable<bool> pump(Input& input, flat_buffer& buffer, Output& output, Way way) {
    PieceSize piece;
    for (;;) {
      if (buffer.size() == 0) {
        const auto [error, size] = co_await input.async_read_some(buffer.prepare(piece.next()), kOutcome);
        if (error) co_return ended(error, way);
        buffer.commit(size);
      }
      const std::size_t held = buffer.size();
      const error_code error =
          co_await write_all(output, std::array{asio::const_buffer(buffer.cdata())}, [&](std::size_t size) {
            way.bytes.Increment(static_cast<double>(size));
            idle_.restart();
          });
      if (error) {
        break_off({way.output_failed, error});
        co_return false;
      }
      buffer.consume(held);
      piece.update(buffer, held);
    }
  }

  [[nodiscard]] bool ended(error_code error, const Way& way) {
    if (error == asio::error::eof) return true;
    if (error == truncated()) {
      if (end_.outcome == RelayOutcome::complete) end_ = {way.input_failed, error};
      return true;
    }
    break_off({way.input_failed, error});
    return false;
  }

  // The first reason counts: what follows comes of it.
  void break_off(RelayEnd end) {
    if (!broken_)
      end_ = end.error == asio::error::operation_aborted ? RelayEnd{RelayOutcome::server, {}} : end;
    broken_ = true;
    client_.interrupt();
    backend_.reset();
  }

  TlsStream& client_;
  BackendConnection& backend_;
  ListenerMetrics& metrics_;
  RelayEnd end_;
  bool broken_ = false;
  TimeLimit idle_;
};

}  // namespace

awaitable<RelayEnd> relay_bytes(TlsStream& client, flat_buffer& client_buffer, BackendConnection& backend,
                                std::chrono::milliseconds idle_limit, ListenerMetrics& metrics) {
  using asio::experimental::awaitable_operators::operator&&;
  ByteRelay relay(client, backend, idle_limit, metrics);
  co_await (relay.to_backend(client_buffer) && relay.to_client(backend.buffer));
  co_return relay.end();
}

}  // namespace keystay::tlsd
