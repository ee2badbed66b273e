// Whose turn it is to log in to a token, among processes that were forked from one another.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace keystay::pkcs11 {

// One process at a time, in memory that they share (login_record.h): a process id and a time in one atomic
// word. Not a robust mutex of pthread, which would be the obvious thing: that has pointers in it, which a
// process with more rights (a master that is root) would follow after one with fewer (its worker) had written
// them.
class LoginTurn final {
 public:
  // The turn that was taken. Its destructor gives it back, unless it was taken over meanwhile.
  class Held final {
   public:
    Held(std::atomic<std::uint64_t>& word, std::uint64_t mine, bool was_abandoned) noexcept
        : word_(&word), mine_(mine), was_abandoned_(was_abandoned) {}
    Held(Held&& other) noexcept
        : word_(std::exchange(other.word_, nullptr)),
          mine_(other.mine_),
          was_abandoned_(other.was_abandoned_) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (word_) word_->compare_exchange_strong(mine_, 0, std::memory_order_acq_rel);
    }

    // Whether it was taken over from a process that has not given it back.
    [[nodiscard]] bool was_abandoned() const noexcept { return was_abandoned_; }

   private:
    std::atomic<std::uint64_t>* word_;
    std::uint64_t mine_;
    bool was_abandoned_;
  };

  // Nothing while another process, or another thread of this one, has it: asked again by whoever waits. A
  // process that has ended has it no more, nor one that has had it for `longest`. Processes of different PID
  // namespaces may take each other for ended.
  [[nodiscard]] std::optional<Held> try_take(std::chrono::milliseconds longest) noexcept;

 private:
  std::atomic<std::uint64_t> word_{0};  // 0: nobody's
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace keystay::pkcs11
