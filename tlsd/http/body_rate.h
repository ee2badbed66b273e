// The least rate at which a client moves a body (`min-body-rate`): a time-out counts anew with each piece,
// and a client that sends or takes a little in each would hold a connection for as long as it likes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "native/config/tlsd_settings.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

class BodyRate final {
 public:
  explicit BodyRate(const config::ListenerSettings& listener) noexcept
      : least_(listener.min_body_rate), grace_(listener.stall_timeout) {}

  // Of `bytes` that the client has moved while it was waited for so long, the first stall-timeout not
  // counted: a body may begin slowly, and a short one may take that time.
  [[nodiscard]] bool too_low(std::uint64_t bytes, Clock::duration waited) const noexcept {
    if (least_ == 0 || waited <= grace_) return false;
    const double seconds = std::chrono::duration<double>(waited - grace_).count();
    return static_cast<double>(bytes) < static_cast<double>(least_) * seconds;
  }

 private:
  std::size_t least_;
  Clock::duration grace_;
};

}  // namespace keystay::tlsd
