// Tells the service manager that the server is alive, as long as each of its threads is (sd_notify(3),
// WATCHDOG=1).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Everything happens on the thread of `control`.
class Watchdog final {
 public:
  // Half of WATCHDOG_USEC, where WATCHDOG_PID is this process or not set; none if the service manager does
  // not ask.
  [[nodiscard]] static std::optional<std::chrono::microseconds> period_of_environment();

  // Asks each of `threads` to answer, once a period, and calls `alive` when all have. The contexts must
  // outlive the last handler of `control`.
  Watchdog(asio::io_context& control, std::vector<asio::io_context*> threads,
           std::chrono::microseconds period, void (*alive)() noexcept);

  void start();
  // Threads end as their last connections do: from now on `control` answers alone.
  void ignore_threads() noexcept { threads_.clear(); }

 private:
  void ask();
  void answered();
  void wait();

  asio::io_context& control_;
  std::vector<asio::io_context*> threads_;
  std::chrono::microseconds period_;
  void (*alive_)() noexcept;
  Timer timer_;
  std::size_t awaited_ = 0;  // threads that have not answered
};

}  // namespace keystay::tlsd
