#include "tlsd/tls/job_pool.h"

#include <openssl/async.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {

JobPool::JobPool(std::size_t most_jobs, Metrics& metrics) : most_jobs_(most_jobs), metrics_(metrics) {
  if (ASYNC_init_thread(most_jobs_, 0) != 1) throw openssl_error("ASYNC_init_thread");
}

JobPool::~JobPool() { ASYNC_cleanup_thread(); }

void JobPool::job_paused() {
  ++paused_;
  metrics_.paused_handshakes().Increment();
}

void JobPool::job_ended() {
  --paused_;
  metrics_.paused_handshakes().Decrement();
}

void JobPool::enqueue(std::shared_ptr<AsyncWait> wait) { queue_.push_back(std::move(wait)); }

void JobPool::pass_turn() {
  while (paused_ < most_jobs_ && !queue_.empty()) {
    const auto next = queue_.front().lock();
    queue_.pop_front();
    if (next) return next->notify();
  }
}

}  // namespace keystay::tlsd
