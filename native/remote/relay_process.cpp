#include "native/remote/relay_process.h"

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/config/pin_source.h"
#include "native/pkcs11/error.h"
#include "native/remote/relay_protocol.h"
#include "native/remote/spawn.h"

namespace keystay::remote {
namespace {

using config::FileDescriptor;
using pkcs11::Error;
using pkcs11::ErrorClass;
using std::chrono::steady_clock;

constexpr std::size_t kLongestGreeting = 4096;

struct Pair {
  FileDescriptor near;
  FileDescriptor far;
};

Pair socket_pair(int type) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error(ErrorClass::host, "socketpair: " + std::generic_category().message(errno));
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

// Without SIGPIPE, which the host process may not handle; and without waiting for a relay that takes nothing.
bool send_lane(int control, int descriptor, const pkcs11::Pin& password) {
  char kind = kLane;
  std::array<iovec, 2> data{
      {{&kind, 1}, {const_cast<std::uint8_t*>(password.bytes().data()), password.size()}}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr message{};
  message.msg_iov = data.data();
  message.msg_iovlen = data.size();
  message.msg_control = space.data();
  message.msg_controllen = space.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(header)) = descriptor;
  return ::sendmsg(control, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;  // whole, or not at all
}

// The line in which the relay reports the result of a connection. Byte by byte: what follows is p11-kit's.
struct Greeting {
  enum class End { said, ended, silent } end;
  std::string line;
};

Greeting read_greeting(int socket, pkcs11::Deadline deadline) {
  std::string line;
  while (line.size() < kLongestGreeting) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd state{socket, POLLIN, 0};
    if (left <= 0 || ::poll(&state, 1, static_cast<int>(left)) == 0) return {Greeting::End::silent, {}};
    char byte = 0;
    const ssize_t size = ::recv(socket, &byte, 1, MSG_DONTWAIT);  // poll(2) ends with each signal too
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size <= 0) return {Greeting::End::ended, {}};
    if (byte == '\n') return {Greeting::End::said, line};
    line += byte;
  }
  throw Error(ErrorClass::server, "keystay-relay says too much");
}

// Whether what was sent has not been read: the relay hangs, or is stopped, and would be asked in vain for
// ever.
bool unread(const FileDescriptor& control) noexcept {
  int size = 0;
  return control.valid() && ::ioctl(control.get(), SIOCOUTQ, &size) == 0 && size > 0;
}

// Also the copies that children of this process may have: the relay sees the end at once.
void shut(FileDescriptor& control) noexcept {
  if (control.valid()) ::shutdown(control.get(), SHUT_RDWR);
  control = FileDescriptor(-1);
}

}  // namespace

RelayProcess::State::~State() { shut(control); }

RelayProcess::RelayProcess(config::RemoteSettings settings)
    : Connector(std::move(settings)), state_([] { return std::make_unique<State>(); }) {}

void RelayProcess::start(State& state) {
  shut(state.control);
  Pair control = socket_pair(SOCK_SEQPACKET);
  // By it the relay sees the end of this process, also where a child of it holds on to the socket.
  const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  std::vector<int> descriptors{control.far.get()};
  if (process.valid()) descriptors.push_back(process.get());
  try {
    spawn_detached(settings().relay, descriptors);
  } catch (const std::system_error& error) {
    throw Error(ErrorClass::server, std::string("cannot start keystay-relay: ") + error.what() +
                                        "; install it there, or write where it is: relay = \"…\"");
  }
  const std::string text = format_relay_settings(settings());
  if (::send(control.near.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
    throw Error(ErrorClass::server,
                "keystay-relay has ended at its start: " + std::generic_category().message(errno) + " (" +
                    settings().relay.string() + ")");
  state.control = std::move(control.near);
  ++state.relay;
}

pkcs11::Pin RelayProcess::password() const {
  try {
    return config::read_password(settings().pkcs12_password, settings().pkcs12.string());
  } catch (const Error& error) {
    // What it says of a PIN's source is true of this one, and its class is not.
    throw Error(ErrorClass::server, std::string("pkcs12-password: ") + error.what());
  }
}

RelayProcess::Asked RelayProcess::ask(State& state, const pkcs11::Pin& password) {
  Pair lane = socket_pair(SOCK_STREAM);
  const pkcs11::MutexLock lock(state.mutex);
  if (state.control.valid() && send_lane(state.control.get(), lane.far.get(), password))
    return {std::move(lane.near), state.relay};
  start(state);
  if (!send_lane(state.control.get(), lane.far.get(), password))
    throw Error(ErrorClass::server,
                "keystay-relay takes no connection: " + std::generic_category().message(errno));
  return {std::move(lane.near), state.relay};
}

bool RelayProcess::give_up(State& state, std::uint64_t relay) {
  const pkcs11::MutexLock lock(state.mutex);
  if (state.relay != relay || !unread(state.control)) return false;
  shut(state.control);
  return true;
}

std::optional<std::string> RelayProcess::greeting_of(State& state, const Asked& asked,
                                                     pkcs11::Deadline deadline) {
  Greeting greeting = read_greeting(asked.near.get(), deadline);
  if (greeting.end == Greeting::End::said) return std::move(greeting.line);
  if (greeting.end == Greeting::End::ended) return std::nullopt;
  throw Error(ErrorClass::server, give_up(state, asked.relay)
                                      ? "keystay-relay hangs, or is stopped; another one takes its place"
                                      : "no connection within the time-outs of all endpoints");
}

// A relay that dies in between is replaced once.
Connection RelayProcess::connect(pkcs11::Deadline deadline) {
  State& state = state_.get();
  const pkcs11::Pin password = this->password();
  Asked asked = ask(state, password);
  std::optional<std::string> greeting = greeting_of(state, asked, deadline);
  if (!greeting) {
    asked = ask(state, password);
    greeting = greeting_of(state, asked, deadline);
  }
  if (!greeting)
    throw Error(ErrorClass::server, "keystay-relay ends at once (" + settings().relay.string() + ")");
  if (const auto reached = parse_reached(*greeting))
    return {std::move(asked.near), static_cast<Version>(reached->version), reached->endpoint};
  throw Error(ErrorClass::server, greeting->empty() ? "keystay-relay gives no reason" : greeting->substr(1));
}

}  // namespace keystay::remote
