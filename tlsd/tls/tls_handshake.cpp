// The handshake of TlsStream: the one place that knows OpenSSL's asynchronous jobs.
#include <cerrno>
#include <thread>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "tlsd/time_limit.h"
#include "tlsd/tls/gathered_writes.h"
#include "tlsd/tls/openssl_error.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {
namespace {

constexpr std::chrono::milliseconds kNap{1};

// The bytes that a client sends while it waits for the server's signature. They stay in the socket and do not
// wake this thread again; TLS clients send few there, and a connection with too many is ended.
class UnreadBytes final {
 public:
  explicit UnreadBytes(Socket& socket) noexcept : socket_(socket) {}
  UnreadBytes(const UnreadBytes&) = delete;
  UnreadBytes& operator=(const UnreadBytes&) = delete;
  ~UnreadBytes() {
    if (watermark_ > 1) set_watermark(1);
  }

  [[nodiscard]] bool too_many() const noexcept {
    error_code ignored;
    return socket_.available(ignored) > kMost;
  }
  // The socket is readable again when there are more of them, or the client has left (SO_RCVLOWAT,
  // socket(7)).
  void ignore() noexcept {
    error_code ignored;
    set_watermark(static_cast<int>(socket_.available(ignored)) + 1);
  }

 private:
  static constexpr std::size_t kMost = 16384;

  void set_watermark(int bytes) noexcept {
    error_code ignored;
    socket_.set_option(asio::socket_base::receive_low_watermark(bytes), ignored);
    watermark_ = bytes;
  }

  Socket& socket_;
  int watermark_ = 1;
};

// The client has closed its sending side or the whole connection, also where bytes before that are still
// unread.
bool closed_by_client(int descriptor) noexcept {
  pollfd state{descriptor, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 1;
}

// SSL_get_error looks at the error queue first; a paused handshake is no error, whatever lies there.
int wanted_by(const SSL* ssl, int result) noexcept {
  if (SSL_want_async(ssl)) return SSL_ERROR_WANT_ASYNC;
  if (SSL_want_async_job(ssl)) return SSL_ERROR_WANT_ASYNC_JOB;
  return SSL_get_error(ssl, result);
}

}  // namespace

awaitable<HandshakeResult> TlsStream::handshake(std::chrono::milliseconds limit) {
  const TimeLimit deadline(get_executor(), limit, [this] { interrupt(); });
  const auto begin = Clock::now();
  HandshakeResult result = co_await run_handshake();
  handshake_time_ = Clock::now() - begin;
  if (result.handshake == Handshake::stopped && deadline.expired()) result.handshake = Handshake::timed_out;
  co_return result;
}

awaitable<HandshakeResult> TlsStream::run_handshake() {
  const bool is_server = !ssl_;  // a client's SSL is there from the beginning
  char byte = 0;
  if (is_server) {
    if (const error_code error = co_await first_byte(byte)) co_return failure(error, false);
  }
  // A record of a handshake begins with 22; the methods of HTTP are in capitals (RFC 9110, section 9.3).
  if (byte >= 'A' && byte <= 'Z') co_return HandshakeResult{Handshake::plain_http, {}};

  start_tls();
  bool signed_before = false;  // the last call was repeated after a signature
  bool answered = false;       // the server's flight is out, and the next call sends the tickets
  for (;;) {
    std::optional<GatheredWrites> tickets;
    if (answered) tickets.emplace(socket_);
    const int wanted = step();
    tickets.reset();
    if (wanted == SSL_ERROR_NONE) break;
    const error_code error = co_await satisfy(wanted);
    if (error) {
      HandshakeResult result = failure(error, signed_before);
      co_await unwind();
      co_return result;
    }
    signed_before = wanted == SSL_ERROR_WANT_ASYNC;
    answered = wanted == SSL_ERROR_WANT_READ;
  }
  // Reads and writes need no job of their own, and may then move their buffers.
  SSL_clear_mode(ssl_.get(), SSL_MODE_ASYNC);
  co_return HandshakeResult{SSL_session_reused(ssl_.get()) == 1 ? Handshake::resumed : Handshake::full, {}};
}

// Nothing is allocated for clients that stay silent. The byte stays in the socket, where most clients have
// sent it by the time their connection is accepted.
awaitable<error_code> TlsStream::first_byte(char& byte) {
  while (!interrupted()) {
    const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size == 1) co_return error_code();
    if (size == 0) co_return asio::error::connection_reset;
    if (errno != EAGAIN && errno != EINTR) co_return error_code(errno, boost::system::system_category());
    if (const error_code error = co_await wait(Socket::wait_read)) co_return error;
  }
  co_return asio::error::operation_aborted;
}

void TlsStream::start_tls() {
  if (!ssl_) ssl_ = context_->new_connection();
  // libssl hands the callback to the job when it starts the first one: later would be too late.
  if (SSL_set_async_callback(ssl_.get(), &AsyncWait::notify_from_provider) != 1 ||
      SSL_set_async_callback_arg(ssl_.get(), wait_.get()) != 1 ||
      SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) {
    throw openssl_error("SSL_set_fd");
  }
  SSL_set_mode(ssl_.get(), SSL_MODE_ASYNC);
}

// SSL_do_handshake once, always with the same arguments. Returns what SSL_get_error says.
int TlsStream::step() noexcept {
  wait_->reset();
  ERR_clear_error();
  const int wanted = wanted_by(ssl_.get(), SSL_do_handshake(ssl_.get()));
  const bool was_paused = std::exchange(paused_, wanted == SSL_ERROR_WANT_ASYNC);
  if (paused_ && !was_paused) thread_.jobs.job_paused();
  if (!paused_ && was_paused) thread_.jobs.job_ended();
  // A call that did not pause has given its job back.
  if (!paused_ && wanted != SSL_ERROR_WANT_ASYNC_JOB) thread_.jobs.pass_turn();
  return wanted;
}

// Waits for what the handshake wants; an error if it cannot come any more.
awaitable<error_code> TlsStream::satisfy(int wanted) {
  switch (wanted) {
    case SSL_ERROR_WANT_READ:
      co_return co_await wait(Socket::wait_read);
    case SSL_ERROR_WANT_WRITE:
      co_return co_await wait(Socket::wait_write);
    case SSL_ERROR_WANT_ASYNC:
      co_return co_await wait_for_signature();
    case SSL_ERROR_WANT_ASYNC_JOB:
      co_return co_await wait_for_job();
    case SSL_ERROR_SSL:
      co_return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
          ? error_code(asio::error::connection_reset)
          : tls_failed();
    default:
      co_return asio::error::connection_reset;
  }
}

awaitable<error_code> TlsStream::wait_for_job() {
  thread_.jobs.enqueue(wait_);
  const error_code error = co_await wait_watching_client();
  if (error) thread_.jobs.pass_turn();
  co_return error;
}

awaitable<error_code> TlsStream::wait_for_signature() {
  const auto begin = Clock::now();
  const error_code error = co_await wait_watching_client();
  if (error) co_return error;
  const Clock::duration waited = Clock::now() - begin;
  sign_time_ += waited;
  thread_.metrics.sign_wait().Observe(std::chrono::duration<double>(waited).count());
  co_return error;
}

// Until notified. A client that leaves, the deadline and the server's stop end the wait early: the socket is
// waited for at the same time, and whichever operation is first cancels the other.
awaitable<error_code> TlsStream::wait_watching_client() {
  UnreadBytes unread(socket_);
  while (!interrupted() && !wait_->notified()) {
    co_await asio::experimental::make_parallel_group(
        [this](auto token) { return wait_->async_wait(std::move(token)); },
        [this](auto token) { return socket_.async_wait(Socket::wait_read, std::move(token)); })
        .async_wait(asio::experimental::wait_for_one(), kOutcome);
    if (interrupted() || wait_->notified()) break;
    if (closed_by_client(socket_.native_handle()) || unread.too_many())
      co_return asio::error::connection_reset;
    unread.ignore();
  }
  co_return interrupted() ? error_code(asio::error::operation_aborted) : error_code();
}

// An SSL with a paused job must not be freed: the job, 34.7 KB, would leak, and the provider would later
// notify a freed object. So the job is resumed, its operation failing at once; a provider that cannot do that
// is waited for.
awaitable<void> TlsStream::unwind() {
  abandon_job();
  while (paused_) {
    co_await wait_->wait();
    static_cast<void>(step());
  }
}

void TlsStream::abandon_job() noexcept {
  if (!paused_) return;
  thread_.metrics.abandoned_signatures().Increment();
  if (thread_.abandon != nullptr) thread_.abandon(&TlsStream::resume, this);
}

// After an exception no coroutine is left to wait, so this thread does.
TlsStream::~TlsStream() {
  abandon_job();
  while (paused_) {
    std::this_thread::sleep_for(kNap);
    static_cast<void>(step());
  }
}

int TlsStream::resume(void* stream) noexcept { return static_cast<TlsStream*>(stream)->step(); }

HandshakeResult TlsStream::failure(error_code error, bool signed_before) const {
  if (error == asio::error::operation_aborted) return {Handshake::stopped, {}};
  if (error != tls_failed()) return {Handshake::client_closed, {}};
  // The same call reads on after the signature; what it does not like in the client's bytes is an error of
  // libssl.
  if (context_) {  // what a server refuses
    const int reason = ERR_GET_REASON(ERR_peek_error());
    if (std::string refusal = ClientVerification::refusal(ssl_.get(), reason); !refusal.empty())
      return {Handshake::client_certificate, std::move(refusal)};
    if (std::string refusal = context_->refused_name(ssl_.get(), reason); !refusal.empty())
      return {Handshake::unknown_name, std::move(refusal)};
  }
  const bool sign_failed = signed_before && ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_SSL;
  return {sign_failed ? Handshake::sign_failed : Handshake::refused, openssl_reasons()};
}

}  // namespace keystay::tlsd
