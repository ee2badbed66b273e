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
      : timer_(executor, limit), expired_(std::make_shared<bool>(false)) {
    timer_.async_wait([expired = expired_, end = std::move(end)](error_code error) {
      if (error) return;
      *expired = true;
      end();
    });
  }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  [[nodiscard]] bool expired() const noexcept { return *expired_; }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> expired_;
};

}  // namespace keystay::relay
