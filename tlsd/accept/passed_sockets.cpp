#include "tlsd/accept/passed_sockets.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/sd_notify.h"

namespace keystay::tlsd {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START

[[noreturn]] void refuse(int descriptor, const std::string& reason) {
  throw std::runtime_error("the socket that was passed as descriptor " + std::to_string(descriptor) +
                           " (LISTEN_FDS) cannot be used: " + reason);
}

int option(int descriptor, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) != 0)
    refuse(descriptor, std::generic_category().message(errno));
  return value;
}

tcp::endpoint address_of(int descriptor) {
  const int family = option(descriptor, SO_DOMAIN);
  if ((family != AF_INET && family != AF_INET6) || option(descriptor, SO_TYPE) != SOCK_STREAM ||
      option(descriptor, SO_ACCEPTCONN) == 0) {
    refuse(descriptor,
           "it does not listen for TCP; in a .socket unit, ListenStream= with an address makes one");
  }
  tcp::endpoint address;
  auto size = static_cast<socklen_t>(address.capacity());
  if (::getsockname(descriptor, address.data(), &size) != 0)
    refuse(descriptor, std::generic_category().message(errno));
  address.resize(size);
  return address;
}

}  // namespace

PassedSockets PassedSockets::from_environment() {
  const auto process = service_number("LISTEN_PID");
  const auto count = service_number("LISTEN_FDS");
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  PassedSockets passed;
  if (!count || process != static_cast<std::uint64_t>(::getpid())) return passed;
  for (int descriptor = kFirst; static_cast<std::uint64_t>(descriptor - kFirst) < *count; ++descriptor) {
    if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
      refuse(descriptor, std::generic_category().message(errno));
    passed.sockets_.emplace_back(address_of(descriptor), config::FileDescriptor(descriptor));
  }
  return passed;
}

std::optional<config::FileDescriptor> PassedSockets::take(const tcp::endpoint& address) {
  const auto found =
      std::ranges::find_if(sockets_, [&](const auto& socket) { return socket.first == address; });
  if (found == sockets_.end()) return std::nullopt;
  config::FileDescriptor socket = std::move(found->second);
  sockets_.erase(found);
  return socket;
}

void PassedSockets::expect_none_left() const {
  if (sockets_.empty()) return;
  throw std::runtime_error("a socket that listens on " + to_text(sockets_.front().first) +
                           " was passed (LISTEN_FDS), and no listener has this address in `bind`: add it "
                           "there, or take its ListenStream= out of the .socket unit");
}

}  // namespace keystay::tlsd
