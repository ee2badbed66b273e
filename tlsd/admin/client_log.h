// Lines that clients can cause, at most twenty a second, so that failing handshakes do not fill the disk.
#pragma once

#include <cstddef>
#include <string_view>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Of one listener on one thread.
class ClientLog final {
 public:
  explicit ClientLog(std::string listener) : listener_(std::move(listener)) {}

  void write(const tcp::endpoint& client, std::string_view what);  // the client's doing
  void warn(const tcp::endpoint& client, std::string_view what);   // that of a server behind

 private:
  [[nodiscard]] bool has_room();

  static constexpr std::size_t kLinesPerSecond = 20;

  std::string listener_;
  Clock::time_point second_{};
  std::size_t lines_ = 0;
  std::size_t suppressed_ = 0;
};

}  // namespace keystay::tlsd
