#include "tlsd/event_loop.h"

#include <spdlog/spdlog.h>

namespace keystay::tlsd {
namespace {

// Clients can cause these lines: no more than one a second.
class ExceptionLog final {
 public:
  explicit ExceptionLog(std::string_view thread) : thread_(thread) {}

  // Must not throw: without memory for a line, only the counter shows the exception.
  void write(const std::exception_ptr& failure) noexcept {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::seconds(1)) {
      ++suppressed_;
      return;
    }
    last_ = now;
    try {
      spdlog::error("{}: a handler failed, and what it served is given up: {} ({} more such lines left out)",
                    thread_, description(failure), suppressed_);
      suppressed_ = 0;
    } catch (const std::exception&) {
      ++suppressed_;
    }
  }

 private:
  std::string_view thread_;
  Clock::time_point last_{};
  std::size_t suppressed_ = 0;
};

}  // namespace

void run_event_loop(asio::io_context& context, std::string_view thread, prometheus::Counter& exceptions) {
  ExceptionLog log(thread);
  for (;;) {
    try {
      context.run();
      return;
    } catch (...) {
      exceptions.Increment();
      log.write(std::current_exception());
    }
  }
}

std::string description(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

}  // namespace keystay::tlsd
