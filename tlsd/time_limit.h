// A limit of time on what a coroutine does while this object lives.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "tlsd/execution.h"

namespace keystay::tlsd {

class TimeLimit final {
 public:
  // Calls `on_expiry` once on the executor when `limit` has passed since the construction or the last
  // restart.
  TimeLimit(Executor executor, std::chrono::milliseconds limit, std::function<void()> on_expiry);
  // The same at a fixed point in time, which several coroutines may share. Not to be restarted.
  TimeLimit(Executor executor, Clock::time_point end, std::function<void()> on_expiry);
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;
  ~TimeLimit();

  // The time counts from now. Costs no timer operation, so that it can be done for every piece of a body.
  void restart() noexcept;

  [[nodiscard]] bool expired() const noexcept;

 private:
  struct State;
  static void run(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace keystay::tlsd
