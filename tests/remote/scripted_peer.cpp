#include "tests/remote/scripted_peer.h"

#include <array>
#include <stdexcept>

#include <sys/socket.h>
#include <unistd.h>

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using remote::Call;

config::RemoteSettings settings_with(std::chrono::milliseconds response_timeout) {
  config::RemoteSettings settings;
  settings.endpoints.push_back({{}, 0, "/scripted"});
  settings.response_timeout = response_timeout;
  return settings;
}

bool receive(int socket, std::span<std::uint8_t> place) {
  return place.empty() ||
         ::recv(socket, place.data(), place.size(), MSG_WAITALL) == static_cast<ssize_t>(place.size());
}

std::uint32_t number_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes.subspan(at, 4)) value = value << 8U | byte;
  return value;
}

}  // namespace

Answer::Answer(Call call, std::string_view types) {
  u32(static_cast<std::uint32_t>(call)).u32(static_cast<std::uint32_t>(types.size()));
  body_.insert(body_.end(), types.begin(), types.end());
}

Answer& Answer::byte(std::uint8_t value) {
  body_.push_back(value);
  return *this;
}

Answer& Answer::u32(std::uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) body_.push_back(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

Answer& Answer::u64(std::uint64_t value) {
  return u32(static_cast<std::uint32_t>(value >> 32U)).u32(static_cast<std::uint32_t>(value));
}

Answer& Answer::text(std::size_t size) {
  u32(static_cast<std::uint32_t>(size));
  body_.insert(body_.end(), size, ' ');
  return *this;
}

Answer& Answer::bytes(std::size_t size) {
  byte(1).u32(static_cast<std::uint32_t>(size));
  body_.insert(body_.end(), size, 1);
  return *this;
}

ScriptedPeer::ScriptedPeer(Script script, std::chrono::milliseconds response_timeout)
    : Connector(settings_with(response_timeout)), script_(std::move(script)) {}

ScriptedPeer::~ScriptedPeer() {
  for (const int end : ends_) ::shutdown(end, SHUT_RDWR);
  for (std::thread& thread : threads_) thread.join();
  for (const int end : ends_) ::close(end);
}

remote::Connection ScriptedPeer::connect(pkcs11::Deadline) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error("socketpair");
  ends_.push_back(ends[1]);
  threads_.emplace_back([this, socket = ends[1]] { serve(socket); });
  return {config::FileDescriptor(ends[0]), remote::kNewestVersion, "unix:/scripted"};
}

void ScriptedPeer::serve(int socket) const {
  std::array<std::uint8_t, remote::kHeaderSize> header{};
  while (receive(socket, header)) {
    Bytes body(number_at(header, 4) + number_at(header, 8));
    if (!receive(socket, body) || body.size() < 4) return;
    const Bytes answer = script_(number_at(header, 0), static_cast<Call>(number_at(body, 0)));
    std::span<const std::uint8_t> rest = answer;
    while (!rest.empty()) {
      const std::size_t size = pause_.load().count() == 0 ? rest.size() : 1;
      if (::send(socket, rest.data(), size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) return;
      rest = rest.subspan(size);
      std::this_thread::sleep_for(pause_.load());
    }
  }
}

Bytes ScriptedPeer::framed(std::uint32_t code, const Answer& answer) {
  const auto size = static_cast<std::uint32_t>(answer.get().size());
  Bytes frame;
  for (const std::uint32_t number : {code, 0U, size}) {
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      frame.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  frame.insert(frame.end(), answer.get().begin(), answer.get().end());
  return frame;
}

Bytes ScriptedPeer::honest(std::uint32_t code, Call call) {
  switch (call) {
    case Call::get_slot_list:
      return framed(code, Answer(call, "au").byte(1).u32(1).u64(7));
    case Call::open_session:
      return framed(code, Answer(call, "u").u64(1));
    case Call::find_objects:
      return framed(code, Answer(call, "au").byte(1).u32(0));
    default:
      return framed(code, Answer(call, ""));
  }
}

}  // namespace keystay::test
