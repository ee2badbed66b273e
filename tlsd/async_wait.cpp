#include "tlsd/async_wait.h"

#include <exception>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace keystay::tlsd {

AsyncWait::AsyncWait(Executor executor) : executor_(executor), event_(executor, Clock::time_point::max()) {}

int AsyncWait::notify_from_provider(SSL*, void* wait) noexcept {
  try {
    static_cast<AsyncWait*>(wait)->post();
    return 1;
  } catch (const std::exception& error) {
    // Without memory for the post, the handshake's deadline ends the wait.
    spdlog::error("a finished signature cannot be reported: {}", error.what());
    return 0;
  }
}

void AsyncWait::post() {
  asio::post(executor_, [self = shared_from_this()] { self->notify(); });
}

awaitable<void> AsyncWait::wait() {
  while (!notified()) co_await event_.async_wait(kOutcome);
}

}  // namespace keystay::tlsd
