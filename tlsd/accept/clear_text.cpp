#include "tlsd/accept/clear_text.h"

#include <algorithm>
#include <cerrno>

#include <boost/asio/write.hpp>
#include <sys/socket.h>

namespace keystay::tlsd {

ClearText::ClearText(Socket& socket, Clock::time_point end)
    : socket_(socket), limit_(socket.get_executor(), end, [&socket] {
        error_code ignored;
        socket.shutdown(Socket::shutdown_both, ignored);
      }) {}

awaitable<std::size_t> ClearText::look(std::size_t size, std::size_t most) {
  for (;;) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kOutcome);
    if (error) co_return 0;
    const ssize_t seen =
        ::recv(socket_.native_handle(), buffer_.data() + size, most - size, MSG_PEEK | MSG_DONTWAIT);
    if (seen >= 0) co_return static_cast<std::size_t>(seen);
    if (errno != EAGAIN && errno != EINTR) co_return 0;
  }
}

// What was seen is there, so that this neither waits nor comes short.
void ClearText::take(std::size_t size) {
  std::array<char, kMostMessage> taken;
  static_cast<void>(::recv(socket_.native_handle(), taken.data(), size, MSG_DONTWAIT));
}

awaitable<std::optional<char>> ClearText::first_byte() {
  const std::size_t seen = co_await look(0, 1);
  if (seen == 0) co_return std::nullopt;
  co_return buffer_.front();
}

awaitable<std::optional<std::string_view>> ClearText::next(SizeOf size_of, std::size_t most) {
  most = std::min(most, kMostMessage);
  std::size_t size = 0;
  for (;;) {
    const std::size_t seen = co_await look(size, most);
    if (seen == 0) co_return std::nullopt;
    const std::string_view bytes(buffer_.data(), size + seen);
    if (const std::size_t end = size_of(bytes); end > 0) {
      take(end - size);
      co_return bytes.substr(0, end);
    }
    take(seen);
    size += seen;
    if (size < most) continue;
    too_large_ = true;
    co_return std::nullopt;
  }
}

bool ClearText::has_more() const {
  error_code ignored;
  return socket_.available(ignored) > 0;
}

awaitable<bool> ClearText::write(std::string_view text) {
  const auto [error, _] = co_await asio::async_write(socket_, asio::buffer(text), kOutcome);
  co_return !error;
}

}  // namespace keystay::tlsd
