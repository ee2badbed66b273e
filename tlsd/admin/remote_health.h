// Whether the server is healthy, asked from other threads than the control thread's.
#pragma once

#include <functional>
#include <utility>

#include "tlsd/execution.h"

namespace keystay::tlsd {

class RemoteHealth final {
 public:
  using Check = std::function<awaitable<bool>()>;

  // `check` runs on the control thread, whose executor `control` is.
  RemoteHealth(Executor control, Check check) : control_(control), check_(std::move(check)) {}

  // In a coroutine of any thread, which serves others meanwhile.
  [[nodiscard]] awaitable<bool> is_healthy() const;

 private:
  Executor control_;
  Check check_;
};

}  // namespace keystay::tlsd
