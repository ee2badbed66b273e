#include "tlsd/accept/connection_limit.h"

#include <utility>

namespace keystay::tlsd {

std::optional<ConnectionLimit::Place> ConnectionLimit::take_or_enqueue(
    const std::shared_ptr<AsyncWait>& wait) {
  {
    const std::scoped_lock lock(mutex_);
    if (free_ > 0) {
      --free_;
      return Place(shared_from_this());
    }
    queue_.push_back(wait);
    if (std::exchange(full_, true)) return std::nullopt;
  }
  on_full_();
  return std::nullopt;
}

void ConnectionLimit::give_back() {
  const std::scoped_lock lock(mutex_);
  ++free_;
  if (free_ > most_ / 20) full_ = false;
  while (!queue_.empty()) {
    const auto next = queue_.front().lock();
    queue_.pop_front();
    if (next) return next->post();
  }
}

}  // namespace keystay::tlsd
