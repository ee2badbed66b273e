// Where a coroutine waits for something that another thread, or another part of its own thread, will tell it.
#pragma once

#include <cstdint>
#include <memory>

#include <openssl/ssl.h>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Shared by the waiting coroutine and by whoever may still call it: posts outlive the wait, never this
// object. A notification without cause is harmless: everybody who waits looks again at what it waits for.
class AsyncWait final : public std::enable_shared_from_this<AsyncWait> {
 public:
  explicit AsyncWait(Executor executor);

  // An SSL_async_callback_fn, whose argument is the AsyncWait. Called by the provider on a thread of its own:
  // posts to the owner's executor, and touches neither the SSL nor the connection.
  static int notify_from_provider(SSL* ssl, void* wait) noexcept;

  // From any thread.
  void post();

  // The rest belongs to the thread of the executor.
  void notify() noexcept;
  // Forgets notifications so far. Those that were posted but not delivered still come.
  void reset() noexcept { notified_ = false; }
  // Returns when notified since reset().
  [[nodiscard]] awaitable<void> wait();

  // Numbers what is watched on behalf of the waiting coroutine: a handler that finds another number is late.
  [[nodiscard]] std::uint64_t begin_watch() noexcept { return ++watch_; }
  void end_watch() noexcept { ++watch_; }
  [[nodiscard]] std::uint64_t watch() const noexcept { return watch_; }

 private:
  Executor executor_;
  Timer event_;  // never expires: a wait on it ends by cancel()
  bool notified_ = false;
  std::uint64_t watch_ = 0;
};

}  // namespace keystay::tlsd
