// An event that a coroutine waits for, and that another thread, or another part of its own thread, notifies.
#pragma once

#include <memory>

#include <openssl/ssl.h>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// An event: set by a notification until reset(). Shared by the waiting coroutine and by all that may still
// notify it: posts outlive the wait, never this object. A spurious notification does no harm: each waiter
// checks its condition again.
class AsyncWait final : public std::enable_shared_from_this<AsyncWait> {
 public:
  explicit AsyncWait(Executor executor);

  // An SSL_async_callback_fn, whose argument is the AsyncWait. Called by the provider on a thread of its own:
  // posts to the owner's executor, and touches neither the SSL nor the connection.
  static int notify_from_provider(SSL* ssl, void* wait) noexcept;

  // From any thread.
  void post();

  // The rest belongs to the thread of the executor.
  void notify() noexcept { event_.expires_at(Clock::time_point::min()); }
  // Forgets notifications so far. Those that were posted but not delivered still come.
  void reset() noexcept { event_.expires_at(Clock::time_point::max()); }
  [[nodiscard]] bool notified() const noexcept { return event_.expiry() == Clock::time_point::min(); }

  // Returns when notified since reset().
  [[nodiscard]] awaitable<void> wait();
  // An operation of Asio that completes with an error_code when notified, or by its cancellation slot; look
  // at notified().
  template <typename Token>
  auto async_wait(Token&& token) {
    return event_.async_wait(std::forward<Token>(token));
  }

 private:
  Executor executor_;
  // A timer that is set to the end or the beginning of time: of all that Asio 1.81 has, this alone can be
  // notified without an allocation, which may fail, and without running the waiter on the notifier's stack.
  Timer event_;
};

}  // namespace keystay::tlsd
