// What is not `p11-kit server` at the other end of a lane: it answers each request as the test says.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "native/remote/connector.h"

namespace keystay::test {

// The body of a response while it is written: the function's number, the types of its results, and those.
class Answer final {
 public:
  Answer(remote::Call call, std::string_view types);

  Answer& byte(std::uint8_t value);
  Answer& u32(std::uint32_t value);
  Answer& u64(std::uint64_t value);
  Answer& text(std::size_t size);   // of so many blanks, behind their number
  Answer& bytes(std::size_t size);  // so many that are 1, behind a 1 and their number

  [[nodiscard]] const pkcs11::Bytes& get() const noexcept { return body_; }

 private:
  pkcs11::Bytes body_;
};

// Connections to it end when it does. One at a time.
class ScriptedPeer final : public remote::Connector {
 public:
  // The whole of what is sent for a request, header included; nothing is sent for an empty one.
  using Script = std::function<pkcs11::Bytes(std::uint32_t code, remote::Call call)>;

  ScriptedPeer(Script script, std::chrono::milliseconds response_timeout);
  ~ScriptedPeer() override;

  [[nodiscard]] remote::Connection connect(pkcs11::Deadline deadline) override;

  // Of a body, with its header.
  [[nodiscard]] static pkcs11::Bytes framed(std::uint32_t code, const Answer& answer);
  // As a server with one token in one slot answers, as far as a search of its objects needs it.
  [[nodiscard]] static pkcs11::Bytes honest(std::uint32_t code, remote::Call call);
  // Sends byte by byte with this pause.
  void drip(std::chrono::milliseconds pause) noexcept { pause_ = pause; }

 private:
  void serve(int socket) const;

  const Script script_;
  std::atomic<std::chrono::milliseconds> pause_{std::chrono::milliseconds(0)};
  std::vector<int> ends_;
  std::vector<std::thread> threads_;
};

}  // namespace keystay::test
