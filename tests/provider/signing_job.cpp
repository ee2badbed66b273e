#include "tests/provider/signing_job.h"

#include <poll.h>

namespace keystay::test {

SigningJob::SigningJob(std::function<bool()> body)
    : body_(std::move(body)), wait_context_(ASYNC_WAIT_CTX_new()) {}

void SigningJob::wake_by(std::atomic<int>& counter) {
  const auto count = [](void* argument) {
    ++*static_cast<std::atomic<int>*>(argument);
    return 1;
  };
  ASYNC_WAIT_CTX_set_callback(wait_context_.get(), count, &counter);
}

int SigningJob::enter(void* job) { return (*static_cast<SigningJob**>(job))->body_() ? 1 : 0; }

int SigningJob::resume() {
  SigningJob* self = this;
  return ASYNC_start_job(&job_, wait_context_.get(), &result_, enter, &self, sizeof self);
}

bool SigningJob::run() {
  int status = resume();
  while (status == ASYNC_PAUSE) {
    static_cast<void>(wait_for_wake(std::chrono::milliseconds(100)));
    status = resume();
  }
  return status == ASYNC_FINISH && succeeded();
}

std::vector<OSSL_ASYNC_FD> SigningJob::descriptors() const {
  std::size_t count = 0;
  ASYNC_WAIT_CTX_get_all_fds(wait_context_.get(), nullptr, &count);
  std::vector<OSSL_ASYNC_FD> all(count);
  ASYNC_WAIT_CTX_get_all_fds(wait_context_.get(), all.data(), &count);
  return all;
}

bool SigningJob::wait_for_wake(std::chrono::milliseconds limit) const {
  std::vector<pollfd> polled;
  for (const int fd : descriptors()) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  return poll(polled.data(), polled.size(), static_cast<int>(limit.count())) > 0;
}

}  // namespace keystay::test
