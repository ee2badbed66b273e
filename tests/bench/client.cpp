#include "tests/bench/client.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <openssl/err.h>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

Client::Client(const ServerAddress& server, const std::string& server_name, SSL_CTX* context)
    : socket_(::socket(server.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      ssl_(SSL_new(context)) {
  if (socket_.get() < 0) throw std::system_error(errno, std::generic_category(), "socket");
  require(ssl_ && SSL_set_fd(ssl_.get(), socket_.get()) == 1, "SSL_set_fd");
  // SSL_set_tlsext_host_name, whose macro hides a C cast.
  require(SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   const_cast<char*>(server_name.c_str())) == 1,
          "SSL_set_tlsext_host_name");
  const auto* address = reinterpret_cast<const sockaddr*>(&server.address);
  if (::connect(socket_.get(), address, server.size) != 0 && errno != EINPROGRESS) {
    failure_ = std::string("connect: ") + std::strerror(errno);
    state_ = State::closed;
  }
}

void Client::advance() {
  if (state_ == State::handshaking) shake_hands();
  if (state_ == State::closing) await_close();
}

void Client::shake_hands() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_connect(ssl_.get());
  if (result != 1) {
    fail(SSL_get_error(ssl_.get(), result));
    return;
  }
  handshake_time_ = Clock::now() - begin_;
  state_ = State::closing;
  SSL_shutdown(ssl_.get());
  ::shutdown(socket_.get(), SHUT_WR);
}

void Client::fail(int ssl_error) {
  // A socket that is still connecting is not writable either.
  if (ssl_error == SSL_ERROR_WANT_READ || ssl_error == SSL_ERROR_WANT_WRITE) return;
  const unsigned long reason = ERR_peek_last_error();
  if (reason != 0) {
    std::array<char, 256> text{};
    ERR_error_string_n(reason, text.data(), text.size());
    failure_ = text.data();
  } else {
    failure_ = errno != 0 ? std::strerror(errno) : "closed by the server";
  }
  state_ = State::closed;
}

void Client::await_close() {
  std::array<char, 4096> unread{};  // session tickets, which nobody will use
  for (;;) {
    const ssize_t size = ::recv(socket_.get(), unread.data(), unread.size(), 0);
    if (size > 0) continue;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    state_ = State::closed;  // by FIN or by RST, all the same
    return;
  }
}

void Client::say_hello() {
  if (state_ != State::handshaking) return;
  ERR_clear_error();
  errno = 0;
  const int error = SSL_get_error(ssl_.get(), SSL_connect(ssl_.get()));
  if (error == SSL_ERROR_WANT_READ) {
    state_ = State::said_hello;
  } else {
    fail(error);
  }
}

void Client::leave(Leave how) {
  if (how == Leave::by_reset) {
    const linger reset{1, 0};
    static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
  }
  socket_ = test::Descriptor();
  state_ = State::closed;
}

void Client::give_up(std::string reason) {
  failure_ = std::move(reason);
  leave(Leave::by_reset);
}

}  // namespace keystay::bench
