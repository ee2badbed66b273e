// A limit on the time of what is awaited while this object lives.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "relay/asio.h"

namespace keystay::relay {

class TimeLimit final {
 public:
  // `end` makes what is awaited return.
  TimeLimit(const asio::any_io_executor& executor, std::chrono::milliseconds limit, std::function<void()> end)
      : timer_(executor, limit), state_(std::make_shared<State>(State::running)) {
    timer_.async_wait([state = state_, end = std::move(end)](error_code error) {
      // A timer that has expired is not cancelled by its end, and what `end` refers to may be gone.
      if (error || *state == State::over) return;
      *state = State::expired;
      end();
    });
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit() { *state_ = State::over; }

  [[nodiscard]] bool expired() const noexcept { return *state_ == State::expired; }

 private:
  enum class State { running, expired, over };

  asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

}  // namespace keystay::relay
