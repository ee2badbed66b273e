#include "tlsd/tls/tls_stream.h"

#include <cerrno>
#include <exception>

#include <openssl/err.h>

#include "tlsd/tls/gathered_writes.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {

TlsStream::TlsStream(Socket socket, std::shared_ptr<const TlsContext> context, TlsThread& thread)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      thread_(thread),
      wait_(std::make_shared<AsyncWait>(socket_.get_executor())) {
  socket_.native_non_blocking(true);
}

TlsStream::TlsStream(Socket socket, SslHandle ssl, TlsThread& thread)
    : socket_(std::move(socket)),
      thread_(thread),
      wait_(std::make_shared<AsyncWait>(socket_.get_executor())),
      ssl_(std::move(ssl)) {
  socket_.native_non_blocking(true);
}

void TlsStream::interrupt() noexcept {
  if (!interrupted()) interruption_ = Interruption::until_cleared;
  error_code ignored;
  socket_.cancel(ignored);
}

void TlsStream::clear_interrupt() noexcept {
  if (interruption_ == Interruption::until_cleared) interruption_ = Interruption::none;
}

void TlsStream::cut() noexcept {
  interruption_ = Interruption::for_good;
  interrupt();
}

awaitable<error_code> TlsStream::wait(Socket::wait_type what) {
  if (interrupted()) co_return asio::error::operation_aborted;
  const auto [error] = co_await socket_.async_wait(what, kOutcome);
  co_return interrupted() ? error_code(asio::error::operation_aborted) : error;
}

// An error that comes behind bytes is told by the next read: OpenSSL itself may not know its reason any more.
TlsStream::Attempt TlsStream::read(std::span<unsigned char> buffer) noexcept {
  if (buffer.empty()) return {};
  if (read_error_) return {read_error_, 0, {}};
  // Who wants more than a record at once gets as much by one call of the system: libssl's next buffer is as
  // large. It frees that as soon as it waits.
  if (buffer.size() > SSL3_RT_MAX_PLAIN_LENGTH) SSL_set_default_read_buffer_len(ssl_.get(), buffer.size());
  std::size_t total = 0;
  do {
    ERR_clear_error();
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data() + total, buffer.size() - total, &size);
    if (result != 1) {
      const Attempt attempt = unfinished(result);
      if (attempt.error == tls_failed()) keep_reason();
      if (total == 0) return attempt;
      read_error_ = attempt.error;
      break;
    }
    bytes_read_ += size;
    total += size;
  } while (total < buffer.size() && SSL_has_pending(ssl_.get()) == 1);
  return {{}, total, {}};
}

TlsStream::Input TlsStream::read_now() noexcept {
  if (interrupted()) return {asio::error::operation_aborted, {}};
  const Attempt attempt = read(thread_.record);
  return {attempt.error, std::span(thread_.record).first(attempt.size)};
}

// A server that refuses our certificate says so after a client of TLS 1.3 is done with the handshake.
void TlsStream::keep_reason() noexcept {
  if (context_) return;
  try {
    failure_ = std::make_unique<const std::string>(openssl_reasons());
  } catch (const std::exception&) {
    // Without memory the error alone must do.
  }
}

TlsStream::Attempt TlsStream::write(std::span<const unsigned char> data) noexcept {
  if (data.empty()) return {};
  ERR_clear_error();
  std::size_t size = 0;
  const int result = SSL_write_ex(ssl_.get(), data.data(), data.size(), &size);
  bytes_written_ += size;
  return result == 1 ? Attempt{{}, size, {}} : unfinished(result);
}

TlsStream::Attempt TlsStream::unfinished(int result) const noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {{}, 0, Socket::wait_read};
    case SSL_ERROR_WANT_WRITE:
      return {{}, 0, Socket::wait_write};
    case SSL_ERROR_ZERO_RETURN:
      return {asio::error::eof, 0, {}};
    case SSL_ERROR_SYSCALL:
      return {
          errno != 0 ? error_code(errno, boost::system::system_category()) : asio::error::connection_reset,
          0,
          {}};
    default:
      return {
          ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING ? truncated() : tls_failed(),
          0,
          {}};
  }
}

AgreedTls TlsStream::agreed() const noexcept {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  return {SSL_get_version(ssl_.get()),
          SSL_get_cipher_name(ssl_.get()),
          size > 0 ? std::string_view(reinterpret_cast<const char*>(protocol), size) : std::string_view(),
          name != nullptr ? std::string_view(name) : std::string_view(),
          SSL_session_reused(ssl_.get()) == 1,
          handshake_time_,
          sign_time_};
}

const ClientIdentity* TlsStream::client() const {
  if (!client_) {
    if (auto identity = client_identity(ssl_.get()))
      client_ = std::make_unique<const ClientIdentity>(*std::move(identity));
  }
  return client_.get();
}

// A byte that comes is lost: the connection is of no more use then.
bool TlsStream::is_quiet() noexcept {
  if (interrupted()) return false;
  unsigned char byte = 0;
  return read({&byte, 1}).wait == Socket::wait_read;
}

SslSession TlsStream::session() const {
  SslSession session(SSL_get1_session(ssl_.get()));
  return session && SSL_SESSION_is_resumable(session.get()) == 1 ? std::move(session) : nullptr;
}

awaitable<void> TlsStream::close_notify() {
  const GatheredWrites alert_and_end(socket_);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    if (result >= 0) break;
    const Attempt attempt = unfinished(result);
    if (!attempt.wait) break;
    if (const error_code error = co_await wait(*attempt.wait)) break;
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace keystay::tlsd
