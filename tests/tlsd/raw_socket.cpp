#include "tests/tlsd/raw_socket.h"

#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace keystay::test {
namespace {

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

RawSocket::RawSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {
  const timeval limit{30, 0};
  const int on = 1;
  if (::setsockopt(descriptor_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    throw_errno("setsockopt");
  // A UNIX socket knows no such option, and no delay.
  if (::setsockopt(descriptor_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 && errno != EOPNOTSUPP)
    throw_errno("setsockopt");
}

RawSocket RawSocket::connect(std::uint16_t port) {
  Descriptor descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) throw_errno("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw_errno("connect");
  }
  return RawSocket(std::move(descriptor));
}

bool RawSocket::write(std::string_view data) {
  while (!data.empty()) {
    const ssize_t size = ::send(descriptor_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (size < 0) return false;
    data.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::string RawSocket::read_some(std::size_t most) {
  std::string data(most, '\0');
  const ssize_t size = ::recv(descriptor_.get(), data.data(), data.size(), 0);
  data.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return data;
}

void RawSocket::end_sending() { ::shutdown(descriptor_.get(), SHUT_WR); }

void RawSocket::reset() {
  const linger abort{1, 0};
  ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  close();
}

void RawSocket::close() { descriptor_ = Descriptor(); }

}  // namespace keystay::test
