#include "tlsd/sd_notify.h"

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace keystay::tlsd {
namespace {

// One datagram. A first character '@' stands for the abstract namespace (unix(7)).
void send_state(std::string_view state) noexcept {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  const std::size_t size = path != nullptr ? std::strlen(path) : 0;
  if (size == 0 || size > sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, size);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  // An error is ignored: the service works without its service manager.
  static_cast<void>(::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size)));
  ::close(descriptor);
}

}  // namespace

void notify_ready() noexcept { send_state("READY=1"); }
void notify_stopping() noexcept { send_state("STOPPING=1"); }
void notify_alive() noexcept { send_state("WATCHDOG=1"); }

void notify_reloading() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  char state[64];
  const int size = std::snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
                                 static_cast<long long>(now.tv_sec) * 1000000 + now.tv_nsec / 1000);
  if (size > 0) send_state({state, static_cast<std::size_t>(size)});
}

std::optional<std::uint64_t> service_number(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return std::nullopt;
  const std::string_view text(value);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace keystay::tlsd
