// max-connections of a listener, over all its threads and addresses. A place is taken before accept, so that
// a full server leaves clients in the kernel's queue.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
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

  // `on_full` is called, on the thread that wants a place, when none is free; and then not again until a
  // twentieth of the places was free.
  explicit ConnectionLimit(
      std::size_t most, std::function<void()> on_full = [] {})
      : most_(most), free_(most), on_full_(std::move(on_full)) {}

  // A place, or nothing; then `wait` is notified when one becomes free. Another may be quicker: try again.
  [[nodiscard]] std::optional<Place> take_or_enqueue(const std::shared_ptr<AsyncWait>& wait);

 private:
  void give_back();

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t free_;
  bool full_ = false;  // on_full_ was called
  std::function<void()> on_full_;
  std::deque<std::weak_ptr<AsyncWait>> queue_;
};

}  // namespace keystay::tlsd
