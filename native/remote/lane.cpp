#include "native/remote/lane.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <poll.h>
#include <sys/socket.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/wipe.h"

namespace keystay::remote {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using std::chrono::steady_clock;

constexpr std::size_t kPiece = std::size_t{64} * 1024;  // at least all that holds a secret

std::uint32_t number_at(const std::array<std::uint8_t, kHeaderSize>& header, std::size_t at) {
  return std::uint32_t{header[at]} << 24U | std::uint32_t{header[at + 1]} << 16U |
         std::uint32_t{header[at + 2]} << 8U | std::uint32_t{header[at + 3]};
}

}  // namespace

Lane::Lane(std::shared_ptr<Connector> connector)
    : connector_(std::move(connector)), state_([] { return std::make_unique<State>(); }) {}

Lane::State::~State() { shut(); }

void Lane::State::shut() noexcept {
  if (socket.valid()) ::shutdown(socket.get(), SHUT_RDWR);
  socket = config::FileDescriptor(-1);
  received.drop();
}

void Lane::lost(State& state, Call call) {
  state.shut();
  throw Error(ErrorClass::session_lost, std::string(function_name(call)) + ": the connection to " +
                                            state.endpoint +
                                            " was lost; is `p11-kit server` still running there?");
}

void Lane::open() {
  const config::RemoteSettings& settings = connector_->settings();
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  state.shut();
  Connection connection = connector_->connect(
      steady_clock::now() + settings.endpoints.size() * settings.connect_timeout + std::chrono::seconds(1));
  state.socket = std::move(connection.socket);
  state.version = connection.version;
  state.endpoint = std::move(connection.endpoint);
}

void Lane::close() noexcept {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  state.shut();
}

bool Lane::is_open() {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  return state.socket.valid();
}

Version Lane::version() {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  return state.version;
}

void Lane::require_open(const State& state) const {
  if (state.socket.valid()) return;
  throw Error(ErrorClass::session_lost, "the connection to the token's machine was lost");
}

Response Lane::call(Request& request) {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  require_open(state);
  const std::uint32_t code = ++state.code;
  send(state, request.frame(code), request.call());
  return receive(state, code, request.call(), response_deadline());
}

Lane::Two Lane::call(Request& first, Request& second) {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  require_open(state);
  const std::uint32_t code = (state.code += 2) - 1;
  const ByteView one = first.frame(code);
  const ByteView two = second.frame(code + 1);
  Bytes both(one.begin(), one.end());
  both.insert(both.end(), two.begin(), two.end());
  send(state, both, second.call());
  const pkcs11::Deadline deadline = response_deadline();
  Response answer = receive(state, code, first.call(), deadline);
  return {std::move(answer), receive(state, code + 1, second.call(), deadline)};
}

// A request fits into the socket's buffer, unless the relay is stopped; then it is a hang as any other.
void Lane::send(State& state, ByteView data, Call call) const {
  const auto deadline = steady_clock::now() + connector_->settings().response_timeout;
  while (!data.empty()) {
    const ssize_t size = ::send(state.socket.get(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) {
      data = data.subspan(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      pollfd room{state.socket.get(), POLLOUT, 0};
      if (steady_clock::now() >= deadline) lost(state, call);
      ::poll(&room, 1, 10);
    } else if (errno != EINTR) {
      lost(state, call);
    }
  }
}

void Lane::read(State& state, std::span<std::uint8_t> place, pkcs11::Deadline deadline, Call call) const {
  while (!place.empty()) {
    if (state.received.empty()) receive_some(state, deadline, call);
    place = place.subspan(state.received.take(place));
  }
}

// A response is never there at once: to wait first spares a call that finds nothing.
void Lane::receive_some(State& state, pkcs11::Deadline deadline, Call call) const {
  for (;;) {
    wait_for_bytes(state, deadline, call);
    const auto room = state.received.room();
    const ssize_t size = ::recv(state.socket.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (size > 0) return state.received.add(static_cast<std::size_t>(size));
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) lost(state, call);
  }
}

void Lane::wait_for_bytes(State& state, pkcs11::Deadline deadline, Call call) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  pollfd data{state.socket.get(), POLLIN, 0};
  if (left > 0 && ::poll(&data, 1, static_cast<int>(left)) != 0) return;
  state.shut();
  throw Error(CKR_DEVICE_ERROR, std::string(function_name(call)) + ": " + pkcs11::describe(CKR_DEVICE_ERROR) +
                                    "; " + state.endpoint + " did not answer within " +
                                    std::to_string(connector_->settings().response_timeout.count()) +
                                    " ms (response-timeout): the HSM hangs there, or the network is cut");
}

pkcs11::Deadline Lane::response_deadline() const {
  return steady_clock::now() + connector_->settings().response_timeout;
}

// Memory is taken as the bytes come, since whoever speaks there says how many they are before it sends them.
Bytes Lane::read_part(State& state, std::size_t size, pkcs11::Deadline deadline, Call call) const {
  Bytes part;
  while (part.size() < size) {
    const std::size_t at = part.size();
    part.resize(std::min(size, at + kPiece));
    read(state, std::span(part).subspan(at), deadline, call);
  }
  return part;
}

Response Lane::receive(State& state, std::uint32_t code, Call call, pkcs11::Deadline deadline) const {
  std::array<std::uint8_t, kHeaderSize> header{};
  read(state, header, deadline, call);
  const std::size_t options = number_at(header, 4);
  const std::size_t size = number_at(header, 8);
  if (number_at(header, 0) != code || options > kLongestResponse || size > kLongestResponse) {
    state.shut();
    throw Error(CKR_DEVICE_ERROR,
                std::string(function_name(call)) + ": what " + state.endpoint +
                    " answers is not p11-kit's protocol; is `p11-kit server` what listens there?");
  }
  static_cast<void>(read_part(state, options, deadline, call));
  Bytes body = read_part(state, size, deadline, call);
  try {
    return Response(call, std::move(body));
  } catch (...) {
    state.shut();  // nothing that follows can be told apart
    throw;
  }
}

}  // namespace keystay::remote
