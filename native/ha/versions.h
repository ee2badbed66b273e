// A value that many threads read while one makes a new version of it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace keystay::ha {

// A reader takes no lock and allocates nothing, and goes on with the version that it has. Readers are counted
// on one of two sides, which take turns, so that the count of the other falls to zero however busy they are:
// an old version has no reader any more when both counts have been zero since it was replaced.
template <typename T>
class Versions final {
 public:
  explicit Versions(std::unique_ptr<const T> first) : current_(first.release()) {}
  Versions(const Versions&) = delete;
  Versions& operator=(const Versions&) = delete;
  ~Versions() { delete current_.load(); }  // nobody reads any more

  // The latest version, as long as this lives.
  class Reading final {
   public:
    // It counts before it looks (both sequentially consistent): who finds the count zero after a replacement
    // knows that whoever comes next sees the new version.
    explicit Reading(const Versions& versions)
        : readers_(versions.readers_[versions.side_.load()]),
          version_((readers_.fetch_add(1), *versions.current_.load())) {}
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { readers_.fetch_sub(1); }

    [[nodiscard]] const T& operator*() const noexcept { return version_; }
    [[nodiscard]] const T* operator->() const noexcept { return &version_; }

   private:
    std::atomic<std::size_t>& readers_;
    const T& version_;
  };
  [[nodiscard]] Reading read() const { return Reading(*this); }

  // These two by one thread at a time.
  void replace(std::unique_ptr<const T> next) {
    replaced_.reserve(replaced_.size() + 1);
    replaced_.push_back({std::unique_ptr<const T>(current_.exchange(next.release())), {}});
  }
  // Those that were replaced and have no reader any more. To be called every now and then.
  [[nodiscard]] std::vector<std::unique_ptr<const T>> take_unread() {
    std::vector<std::unique_ptr<const T>> unread;
    for (Replaced& old : replaced_) {
      for (std::size_t side = 0; side < readers_.size(); ++side)
        old.was_unread[side] = old.was_unread[side] || readers_[side].load() == 0;
      if (old.was_unread[0] && old.was_unread[1]) unread.push_back(std::move(old.version));
    }
    std::erase_if(replaced_, [](const Replaced& old) { return !old.version; });
    side_.store(1 - side_.load());
    return unread;
  }

 private:
  struct Replaced {
    std::unique_ptr<const T> version;
    std::array<bool, 2> was_unread;
  };

  std::atomic<const T*> current_;
  std::atomic<std::size_t> side_{0};
  mutable std::array<std::atomic<std::size_t>, 2> readers_{};
  std::vector<Replaced> replaced_;
};

}  // namespace keystay::ha
