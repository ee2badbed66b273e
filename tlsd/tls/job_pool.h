// OpenSSL's jobs (ASYNC_start_job(3)) of one thread: each paused handshake holds one, with a stack of 32 KiB,
// and the pool never shrinks; hence the bound, and a queue in front of it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "tlsd/admin/metrics.h"
#include "tlsd/async_wait.h"

namespace keystay::tlsd {

// Made, used and destroyed on the thread that runs the handshakes.
class JobPool final {
 public:
  JobPool(std::size_t most_jobs, Metrics& metrics);
  JobPool(const JobPool&) = delete;
  JobPool& operator=(const JobPool&) = delete;
  ~JobPool();  // ASYNC_cleanup_thread

  void job_paused();
  void job_ended();

  // After SSL_ERROR_WANT_ASYNC_JOB: notifies `wait` when its turn has come.
  void enqueue(std::shared_ptr<AsyncWait> wait);
  // To be called when a job was given back, or a turn was not used: notifies the next in the queue if a job
  // is free.
  void pass_turn();

 private:
  std::size_t most_jobs_;
  std::size_t paused_ = 0;
  std::deque<std::weak_ptr<AsyncWait>> queue_;
  Metrics& metrics_;
};

}  // namespace keystay::tlsd
