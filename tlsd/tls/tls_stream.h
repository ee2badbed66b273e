// TLS on a client's socket, server side. Unlike Asio's ssl::stream it carries SSL_ERROR_WANT_ASYNC: while a
// token signs, the handshake is paused and its thread serves others. docs/design/tlsd.md explains how.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>

#include "native/async/abandon.h"
#include "tlsd/async_wait.h"
#include "tlsd/execution.h"
#include "tlsd/tls/client_identity.h"
#include "tlsd/tls/gathered_writes.h"
#include "tlsd/tls/job_pool.h"
#include "tlsd/tls/openssl_handles.h"
#include "tlsd/tls/tls_context.h"

namespace keystay::tlsd {

// What all TLS streams of one thread share.
struct TlsThread {
  JobPool& jobs;
  Metrics& metrics;
  async::AbandonFunction abandon = nullptr;  // null: an operation is waited for before its SSL is freed
  std::array<unsigned char, SSL3_RT_MAX_PLAIN_LENGTH> record{};  // gathers small buffers into one record, and
                                                                 // holds one for read_now()
};

// The peers do not understand each other; OpenSSL's error queue says why.
[[nodiscard]] inline error_code tls_failed() noexcept {
  return make_error_code(boost::system::errc::protocol_error);
}

// The client's connection ended without close_notify: an attacker may have truncated it (RFC 8446,
// section 6.1).
[[nodiscard]] inline error_code truncated() noexcept {
  return make_error_code(boost::system::errc::connection_aborted);
}

// What a handshake came to.
struct AgreedTls {
  std::string_view version;      // "TLSv1.3"
  std::string_view cipher;       // "TLS_AES_256_GCM_SHA384"
  std::string_view protocol;     // ALPN; empty if none was agreed on
  std::string_view server_name;  // SNI; empty if the client sent none
  bool resumed = false;
  Clock::duration handshake_time{};  // from the call of handshake()
  Clock::duration sign_time{};       // of it, for signatures that the handshake waited for
};

struct HandshakeResult {
  Handshake handshake;
  std::string reason;  // for the log; empty where the handshake says it all
};

// An AsyncReadStream and AsyncWriteStream. Everything happens on the thread of the executor: OpenSSL resumes
// a paused job only on the thread that started it.
// Not final: Asio derives from what might be an executor, to find out whether it is.
class TlsStream {
 public:
  using executor_type = Executor;

  TlsStream(Socket socket, std::shared_ptr<const TlsContext> context, TlsThread& thread);
  // The client's side of TLS: the SSL is in connect state. "The client" below is then the server behind.
  TlsStream(Socket socket, SslHandle ssl, TlsThread& thread);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  // No operation outlives its stream: where an exception has ended handshake(), it is given up here.
  ~TlsStream();

  [[nodiscard]] executor_type get_executor() noexcept { return socket_.get_executor(); }
  // Below TLS.
  [[nodiscard]] Socket& socket() noexcept { return socket_; }

  // Waits for the client's first byte, then does the handshake. `limit` covers all of it, the time in the
  // token's queue included. When it returns no job is paused, whatever happened.
  [[nodiscard]] awaitable<HandshakeResult> handshake(std::chrono::milliseconds limit);

  // After a handshake that succeeded. Refers to the stream.
  [[nodiscard]] AgreedTls agreed() const noexcept;
  // Likewise; null if the client showed no certificate.
  [[nodiscard]] const ClientIdentity* client() const;

  // After a handshake that succeeded: whether it would have done for this host, too.
  [[nodiscard]] bool serves(std::string_view host) const noexcept {
    return context_->serves(ssl_.get(), host);
  }

  // Inside TLS, since the handshake.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token);
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token);

  // What has come, without waiting: neither error nor bytes if nothing has, and then wait_for_input() comes
  // first. The bytes are in a buffer that the streams of the thread share, until the next operation of any.
  struct Input {
    error_code error;
    std::span<const unsigned char> bytes;
  };
  [[nodiscard]] Input read_now() noexcept;
  [[nodiscard]] awaitable<error_code> wait_for_input() { return wait(Socket::wait_read); }

  // Where nothing is expected: no byte of the other side has come, and no end. Reads what is TLS's own.
  [[nodiscard]] bool is_quiet() noexcept;
  // That of the latest ticket; null if it cannot be resumed.
  [[nodiscard]] SslSession session() const;

  // Why tls_failed() ended a read of the client's side; empty otherwise.
  [[nodiscard]] std::string failure_reason() const { return failure_ ? *failure_ : std::string(); }

  // Sends close_notify and ends the sending side of the socket; does not wait for the client's close_notify.
  [[nodiscard]] awaitable<void> close_notify();

  // From now on every wait for the socket or for a signature ends with operation_aborted, until
  // clear_interrupt().
  void interrupt() noexcept;
  void clear_interrupt() noexcept;
  // interrupt() for good.
  void cut() noexcept;

 private:
  [[nodiscard]] bool interrupted() const noexcept { return interruption_ != Interruption::none; }

  // One SSL_read or SSL_write: done with (error, size), unless there is something to wait for first.
  struct Attempt {
    error_code error;
    std::size_t size = 0;
    std::optional<Socket::wait_type> wait;
  };
  template <typename Operation>
  class Composed;

  // Record after record, while there are any: it does not wait for one where it has read others.
  [[nodiscard]] Attempt read(std::span<unsigned char> buffer) noexcept;
  // Likewise, as many as the socket takes.
  template <typename Buffers>
  [[nodiscard]] Attempt write_records(const Buffers& buffers) noexcept;
  [[nodiscard]] Attempt write(std::span<const unsigned char> data) noexcept;
  [[nodiscard]] Attempt unfinished(int result) const noexcept;
  void keep_reason() noexcept;
  [[nodiscard]] awaitable<error_code> wait(Socket::wait_type what);

  // The handshake, in tls_handshake.cpp.
  [[nodiscard]] awaitable<HandshakeResult> run_handshake();
  [[nodiscard]] awaitable<error_code> first_byte(char& byte);
  void start_tls();
  [[nodiscard]] int step() noexcept;
  [[nodiscard]] awaitable<error_code> satisfy(int wanted);
  [[nodiscard]] awaitable<error_code> wait_for_job();
  [[nodiscard]] awaitable<error_code> wait_for_signature();
  [[nodiscard]] awaitable<error_code> wait_watching_client();
  [[nodiscard]] awaitable<void> unwind();
  void abandon_job() noexcept;
  static int resume(void* stream) noexcept;
  [[nodiscard]] HandshakeResult failure(error_code error, bool signed_before) const;

  Socket socket_;  // before ssl_: freed after it, since the SSL holds the bare descriptor
  std::shared_ptr<const TlsContext> context_;  // null where the other side is the server
  TlsThread& thread_;
  std::shared_ptr<AsyncWait> wait_;
  SslHandle ssl_;        // none before the client's first byte
  bool paused_ = false;  // a job of ours is paused
  std::unique_ptr<const std::string> failure_;
  mutable std::unique_ptr<const ClientIdentity> client_;  // once it was asked for
  error_code read_error_;                                 // what every further read ends with
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  Clock::duration handshake_time_{};
  Clock::duration sign_time_{};
  enum class Interruption { none, until_cleared, for_good } interruption_ = Interruption::none;
};

// One step until it succeeds or fails, with a wait for the socket in between. A step that succeeds at once
// still completes through the executor, as every Asio operation must.
template <typename Operation>
class TlsStream::Composed {
 public:
  Composed(TlsStream& stream, Operation operation) : stream_(stream), operation_(std::move(operation)) {}

  template <typename Self>
  void operator()(Self& self, error_code error = {}) {
    if (state_ == State::done) return self.complete(attempt_.error, attempt_.size);
    if (stream_.interrupted()) error = asio::error::operation_aborted;
    attempt_ = error ? Attempt{error, 0, {}} : operation_(stream_);
    if (attempt_.wait) {
      state_ = State::waited;
      stream_.socket_.async_wait(*attempt_.wait, std::move(self));
    } else if (state_ == State::waited) {
      self.complete(attempt_.error, attempt_.size);
    } else {
      state_ = State::done;
      asio::post(stream_.get_executor(), std::move(self));
    }
  }

 private:
  enum class State { initial, waited, done };

  TlsStream& stream_;
  Operation operation_;
  Attempt attempt_{};
  State state_ = State::initial;
};

template <typename Buffers, typename Token>
auto TlsStream::async_read_some(const Buffers& buffers, Token&& token) {
  std::span<unsigned char> target;  // the first buffer with room
  for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
    const asio::mutable_buffer buffer(*it);
    if (target.empty()) target = {static_cast<unsigned char*>(buffer.data()), buffer.size()};
  }
  auto operation = [target](TlsStream& stream) { return stream.read(target); };
  return asio::async_compose<Token, void(error_code, std::size_t)>(Composed(*this, operation), token,
                                                                   socket_);
}

// The next record's worth of bytes from `offset` on: where they are, if they are together there, else
// gathered in `record`. SSL_write consumes what it is given before others use that; a repeated call gathers
// the same bytes again.
template <typename Buffers>
std::span<const unsigned char> record_at(const Buffers& buffers, std::size_t offset,
                                         std::span<unsigned char> record) noexcept {
  std::size_t gathered = 0;
  for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
    const asio::const_buffer rest = asio::const_buffer(*it) + offset;
    offset -= asio::const_buffer(*it).size() - rest.size();
    if (gathered == 0 && rest.size() >= record.size())
      return {static_cast<const unsigned char*>(rest.data()), record.size()};
    gathered += asio::buffer_copy(asio::buffer(record.data() + gathered, record.size() - gathered), rest);
    if (gathered == record.size()) break;
  }
  return record.first(gathered);
}

template <typename Buffers>
TlsStream::Attempt TlsStream::write_records(const Buffers& buffers) noexcept {
  const std::size_t size = asio::buffer_size(buffers);
  std::optional<GatheredWrites> one_segment;
  if (size > thread_.record.size()) one_segment.emplace(socket_);
  std::size_t written = 0;
  do {
    const Attempt attempt = write(record_at(buffers, written, thread_.record));
    written += attempt.size;
    // A record that waits for the socket is repeated, with the same bytes, by the call for the rest.
    if (attempt.wait || attempt.error) return written > 0 ? Attempt{{}, written, {}} : attempt;
  } while (written < size);
  return {{}, written, {}};
}

template <typename Buffers, typename Token>
auto TlsStream::async_write_some(const Buffers& buffers, Token&& token) {
  auto operation = [buffers](TlsStream& stream) { return stream.write_records(buffers); };
  return asio::async_compose<Token, void(error_code, std::size_t)>(Composed(*this, std::move(operation)),
                                                                   token, socket_);
}

}  // namespace keystay::tlsd
