#include "native/remote/local_connector.h"

#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "native/pkcs11/error.h"

namespace keystay::remote {
namespace {

using config::FileDescriptor;
using std::chrono::steady_clock;

// Completes "SOCKET cannot be used: ".
[[nodiscard]] std::string system_reason(const char* step) {
  return std::string(step) + ": " + std::generic_category().message(errno);
}

// Nothing, and the reason.
struct Attempt {
  FileDescriptor socket{-1};
  Version version = Version::v0;
  std::string failure;
};

// poll(2) ends with each signal that the calling thread handles, SA_RESTART or not.
bool wait_for(int socket, pkcs11::Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd state{socket, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&state, 1, static_cast<int>(left)) : 0;
    if (ready >= 0) return ready == 1;
    if (errno != EINTR) return false;
  }
}

// Blocking is bounded: a full backlog of a UNIX socket is EAGAIN on a socket that does not block.
Attempt connect_to(const std::string& path, pkcs11::Deadline deadline) {
  Attempt attempt;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid() ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    attempt.failure = system_reason("connect");
    return attempt;
  }
  auto version = static_cast<std::uint8_t>(kNewestVersion);
  if (::send(socket.get(), &version, 1, MSG_NOSIGNAL) != 1) {
    attempt.failure = system_reason("p11-kit");
  } else if (!wait_for(socket.get(), deadline)) {
    attempt.failure = "p11-kit: no answer within connect-timeout";
  } else if (::recv(socket.get(), &version, 1, 0) != 1) {
    attempt.failure =
        "p11-kit: it closes the connection; does the module of `p11-kit server` load, and may this "
        "user use the socket?";
  } else if (version > static_cast<std::uint8_t>(kNewestVersion)) {
    attempt.failure = "p11-kit: what answers there does not speak its protocol";
  } else {
    attempt.version = static_cast<Version>(version);
    attempt.socket = std::move(socket);
  }
  return attempt;
}

}  // namespace

Connection LocalConnector::connect(pkcs11::Deadline deadline) {
  std::string failures;
  for (const config::RemoteEndpoint& endpoint : settings().endpoints) {
    const auto limit = std::min(deadline, steady_clock::now() + settings().connect_timeout);
    Attempt attempt = connect_to(endpoint.socket, limit);
    std::string name = config::format_remote_endpoint(endpoint);
    if (attempt.socket.valid()) return {std::move(attempt.socket), attempt.version, std::move(name)};
    failures += (failures.empty() ? "" : ", and ") + name + " cannot be used: " + attempt.failure;
  }
  throw pkcs11::Error(pkcs11::ErrorClass::server, failures);
}

}  // namespace keystay::remote
