// What a client sends before TLS: a proxy's header, a request for TLS. It is taken message by message, and
// nothing behind a message leaves the socket: OpenSSL reads it, or nobody does. So nothing that was sent in
// clear can pass for what was sent in TLS (CVE-2011-0411, CVE-2021-23214).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "tlsd/execution.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

class ClearText final {
 public:
  // The size of the message at the front of the bytes; 0 while all of them belong to one that is not
  // complete.
  using SizeOf = std::size_t (*)(std::string_view bytes);

  // At `end` the socket is shut down, whatever is in progress.
  ClearText(Socket& socket, Clock::time_point end);
  ClearText(const ClearText&) = delete;
  ClearText& operator=(const ClearText&) = delete;

  // The first byte of what comes next, which stays where it is; nothing if the client has ended.
  [[nodiscard]] awaitable<std::optional<char>> first_byte();
  // The next message, valid until the next call; nothing if the client has ended, or the message has more
  // than `most` bytes (at most kMostMessage), which too_large() tells.
  [[nodiscard]] awaitable<std::optional<std::string_view>> next(SizeOf size_of, std::size_t most);
  // Whether something came behind the last message.
  [[nodiscard]] bool has_more() const;
  // False if the client has ended.
  [[nodiscard]] awaitable<bool> write(std::string_view text);

  [[nodiscard]] bool too_large() const noexcept { return too_large_; }
  [[nodiscard]] bool expired() const noexcept { return limit_.expired(); }

  static constexpr std::size_t kMostMessage = 1024;

 private:
  // How many bytes are there behind the first `size` of the buffer, which they are copied to; 0 at the end.
  [[nodiscard]] awaitable<std::size_t> look(std::size_t size, std::size_t most);
  void take(std::size_t size);

  Socket& socket_;
  TimeLimit limit_;
  std::array<char, kMostMessage> buffer_{};
  bool too_large_ = false;
};

}  // namespace keystay::tlsd
