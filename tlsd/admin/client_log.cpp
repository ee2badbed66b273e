#include "tlsd/admin/client_log.h"

#include <spdlog/spdlog.h>

#include "tlsd/accept/listening_socket.h"

namespace keystay::tlsd {

void ClientLog::write(const tcp::endpoint& client, std::string_view what) {
  if (has_room()) spdlog::info("listener {}: client {}: {}", listener_, to_text(client), what);
}

void ClientLog::warn(const tcp::endpoint& client, std::string_view what) {
  if (has_room()) spdlog::warn("listener {}: client {}: {}", listener_, to_text(client), what);
}

bool ClientLog::has_room() {
  const auto now = Clock::now();
  if (now - second_ >= std::chrono::seconds(1)) {
    tell_left_out();
    second_ = now;
    lines_ = 0;
  }
  if (lines_ >= kLinesPerSecond) {
    leave_out();
    return false;
  }
  ++lines_;
  return true;
}

void ClientLog::leave_out() {
  left_out_.Increment();
  if (++suppressed_ > 1) return;
  second_end_.expires_at(second_ + std::chrono::seconds(1));
  second_end_.async_wait([this](error_code error) {
    if (!error) tell_left_out();
  });
}

void ClientLog::tell_left_out() {
  if (suppressed_ > 0) spdlog::info("listener {}: {} more such lines left out", listener_, suppressed_);
  suppressed_ = 0;
}

void ClientLog::end() {
  tell_left_out();
  second_end_.cancel();
}

}  // namespace keystay::tlsd
