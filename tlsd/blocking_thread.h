// A thread for what may block on a token: test signatures, loading keys. One task after another.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include "tlsd/execution.h"

namespace keystay::tlsd {

class BlockingThread final {
 public:
  BlockingThread();
  BlockingThread(const BlockingThread&) = delete;
  BlockingThread& operator=(const BlockingThread&) = delete;
  ~BlockingThread();  // waits for the task that runs: ask busy() first where that may take too long

  void post(std::function<void()> task);
  [[nodiscard]] bool busy() const noexcept { return tasks_ > 0; }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<Executor> work_;
  std::atomic<int> tasks_ = 0;
  std::thread thread_;
};

}  // namespace keystay::tlsd
