#include "tlsd/accept/accept_backoff.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace keystay::tlsd {
namespace {

// Linux passes pending network errors of the new connection on to accept(2).
constexpr std::array kOfOneConnection{ECONNABORTED, ECONNRESET, EPROTO,     ENOPROTOOPT, EPERM,
                                      EINTR,        EAGAIN,     ENETDOWN,   EHOSTDOWN,   EHOSTUNREACH,
                                      ENETUNREACH,  ENONET,     EOPNOTSUPP, ETIMEDOUT};

}  // namespace

std::chrono::milliseconds AcceptBackoff::after(boost::system::error_code error) noexcept {
  if (std::ranges::find(kOfOneConnection, error.value()) != kOfOneConnection.end()) {
    return std::chrono::milliseconds::zero();
  }
  return std::exchange(next_, std::min(next_ * 2, kLongest));
}

ReserveDescriptor::ReserveDescriptor() noexcept { open(); }
ReserveDescriptor::~ReserveDescriptor() { close(); }

void ReserveDescriptor::open() noexcept { descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

void ReserveDescriptor::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void ReserveDescriptor::reject_one(int listening_descriptor) noexcept {
  close();
  const int client = ::accept4(listening_descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client >= 0) ::close(client);
  open();
}

}  // namespace keystay::tlsd
