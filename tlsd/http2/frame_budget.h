// How much a client of HTTP/2 may send that costs this server work and moves nothing: PING, SETTINGS,
// PRIORITY, WINDOW_UPDATE, empty DATA, unknown frames, requests that it gives up at once. Each costs points.
// Points come back with time, with responses that were complete, and with bytes of bodies that were sent; a
// client without points is ended with ENHANCE_YOUR_CALM (RFC 9113, section 10.5).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace keystay::tlsd {

class FrameBudget final {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::int64_t kMost = 10'000;
  static constexpr std::int64_t kPerSecond = 300;

  // What costs how much.
  static constexpr std::int64_t kSmallFrame = 1;   // PING, WINDOW_UPDATE and the like
  static constexpr std::int64_t kEmptyFrame = 10;  // DATA without data that ends nothing
  static constexpr std::int64_t kSettings = 10;
  static constexpr std::int64_t kGivenUp = 12;    // a request that the client resets: 833 at once, 25/s
  static constexpr std::int64_t kMalformed = 12;  // one that breaks the rules, or is one too many
  static constexpr std::int64_t kIgnoredBytesPerPoint = 16;  // of PRIORITY and unknown frames
  // What earns how much.
  static constexpr std::int64_t kResponse = 6;
  static constexpr std::int64_t kBytesPerPoint = 512;  // of bodies sent; WINDOW_UPDATE answers them

  explicit FrameBudget(Clock::time_point now = Clock::now()) noexcept : refilled_(now) {}

  // False if nothing is left.
  [[nodiscard]] bool spend(std::int64_t points, Clock::time_point now = Clock::now()) noexcept {
    if (points_ < points) refill(now);
    points_ -= points;
    return points_ >= 0;
  }

  // Of bytes that came and belong to no frame that was told of; fewer than none once such a frame is
  // complete.
  [[nodiscard]] bool spend_bytes(std::int64_t ignored, Clock::time_point now = Clock::now()) noexcept {
    ignored_ += ignored;
    const std::int64_t points = ignored_ / kIgnoredBytesPerPoint;
    ignored_ %= kIgnoredBytesPerPoint;
    if (points > 0) return spend(points, now);
    earn(-points);
    return true;
  }

  void earn(std::int64_t points) noexcept { points_ = std::min(points_ + points, kMost); }
  void earn_bytes(std::int64_t sent) noexcept {
    bytes_ += sent;
    earn(bytes_ / kBytesPerPoint);
    bytes_ %= kBytesPerPoint;
  }

 private:
  void refill(Clock::time_point now) noexcept {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - refilled_).count();
    if (milliseconds <= 0) return;
    refilled_ = now;
    earn(std::min<std::int64_t>(milliseconds, 60'000) * kPerSecond / 1000);
  }

  std::int64_t points_ = kMost;
  std::int64_t bytes_ = 0;    // that have not earned a point yet
  std::int64_t ignored_ = 0;  // that have not cost one yet
  Clock::time_point refilled_;
};

}  // namespace keystay::tlsd
