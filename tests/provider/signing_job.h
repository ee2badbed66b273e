// An ASYNC_JOB that signs, driven by the test as a server drives it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <vector>

#include <openssl/async.h>

#include "tests/provider/library_context.h"

namespace keystay::test {

// Runs `body` in a job of this thread. `body` returns whether it succeeded.
class SigningJob final {
 public:
  explicit SigningJob(std::function<bool()> body);
  SigningJob(const SigningJob&) = delete;
  SigningJob& operator=(const SigningJob&) = delete;

  // Wakes by this counter instead of a descriptor. Before the first resume().
  void wake_by(std::atomic<int>& counter);

  // ASYNC_start_job: ASYNC_PAUSE, ASYNC_FINISH …
  int resume();
  // Until it finishes, sleeping on its descriptor in between. Returns whether `body` succeeded.
  [[nodiscard]] bool run();
  [[nodiscard]] bool succeeded() const noexcept { return result_ == 1; }

  [[nodiscard]] std::vector<OSSL_ASYNC_FD> descriptors() const;
  // False if none of them is readable within the limit.
  [[nodiscard]] bool wait_for_wake(std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

  [[nodiscard]] ASYNC_JOB* job() const noexcept { return job_; }
  // As an application that closes a connection: the job is never resumed.
  void free_wait_context() { wait_context_.reset(); }

 private:
  static int enter(void* job);

  std::function<bool()> body_;
  Owned<ASYNC_WAIT_CTX, ASYNC_WAIT_CTX_free> wait_context_;
  ASYNC_JOB* job_ = nullptr;
  int result_ = 0;
};

}  // namespace keystay::test
