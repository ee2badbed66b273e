#include "tlsd/time_limit.h"

#include <utility>

namespace keystay::tlsd {

struct TimeLimit::State {
  Timer timer;
  std::chrono::milliseconds limit;
  std::function<void()> on_expiry;  // empty once it was called, or the TimeLimit is gone
  Clock::time_point end;
  bool expired = false;
};

TimeLimit::TimeLimit(Executor executor, std::chrono::milliseconds limit, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(
          State{Timer(executor), limit, std::move(on_expiry), Clock::now() + limit})) {
  run(state_);
}

TimeLimit::TimeLimit(Executor executor, Clock::time_point end, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(State{Timer(executor), {}, std::move(on_expiry), end})) {
  run(state_);
}

TimeLimit::~TimeLimit() {
  state_->on_expiry = nullptr;
  state_->timer.cancel();
}

void TimeLimit::restart() noexcept { state_->end = Clock::now() + state_->limit; }

bool TimeLimit::expired() const noexcept { return state_->expired; }

void TimeLimit::run(std::shared_ptr<State> state) {
  Timer& timer = state->timer;
  timer.expires_at(state->end);
  timer.async_wait([state = std::move(state)](error_code) mutable {
    if (!state->on_expiry) return;
    if (Clock::now() < state->end) return run(std::move(state));
    state->expired = true;
    std::exchange(state->on_expiry, nullptr)();
  });
}

}  // namespace keystay::tlsd
