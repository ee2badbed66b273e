#include "tlsd/connection_limit.h"

namespace keystay::tlsd {

std::optional<ConnectionLimit::Place> ConnectionLimit::take_or_enqueue(
    const std::shared_ptr<AsyncWait>& wait) {
  const std::scoped_lock lock(mutex_);
  if (free_ == 0) {
    queue_.push_back(wait);
    return std::nullopt;
  }
  --free_;
  return Place(shared_from_this());
}

void ConnectionLimit::give_back() {
  const std::scoped_lock lock(mutex_);
  ++free_;
  while (!queue_.empty()) {
    const auto next = queue_.front().lock();
    queue_.pop_front();
    if (next) return next->post();
  }
}

}  // namespace keystay::tlsd
