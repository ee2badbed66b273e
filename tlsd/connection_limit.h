// max-connections of a listener, over all its threads and addresses. A place is taken before accept, so that
// a full server leaves clients in the kernel's queue.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "tlsd/async_wait.h"

namespace keystay::tlsd {

class ConnectionLimit final : public std::enable_shared_from_this<ConnectionLimit> {
 public:
  // A place, held by a connection for as long as it lives.
  class Place final {
   public:
    explicit Place(std::shared_ptr<ConnectionLimit> limit) noexcept : limit_(std::move(limit)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (limit_) limit_->give_back();
    }

   private:
    std::shared_ptr<ConnectionLimit> limit_;
  };

  explicit ConnectionLimit(std::size_t most) : free_(most) {}

  // A place, or nothing; then `wait` is notified when one becomes free. Another may be quicker: try again.
  [[nodiscard]] std::optional<Place> take_or_enqueue(const std::shared_ptr<AsyncWait>& wait);

 private:
  void give_back();

  std::mutex mutex_;
  std::size_t free_;
  std::deque<std::weak_ptr<AsyncWait>> queue_;
};

}  // namespace keystay::tlsd
