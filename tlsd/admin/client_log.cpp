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
    if (suppressed_ > 0) spdlog::info("listener {}: {} more such lines left out", listener_, suppressed_);
    second_ = now;
    lines_ = suppressed_ = 0;
  }
  if (lines_ >= kLinesPerSecond) {
    ++suppressed_;
    return false;
  }
  ++lines_;
  return true;
}

}  // namespace keystay::tlsd
