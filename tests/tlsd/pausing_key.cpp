#include "tests/tlsd/pausing_key.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <openssl/err.h>

namespace keystay::test {
namespace {

thread_local bool abandoning = false;

}  // namespace

PausingKey::PausingKey(Wakes wakes) : wakes_(wakes) {
  constexpr std::size_t kMostOperations = 4096;
  pending_.reserve(kMostOperations);
  thread_ = std::thread([this] { wake_all(); });
}

PausingKey::~PausingKey() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void PausingKey::install(SSL_CTX* context, int pauses) {
  pauses_ = pauses;
  SSL_CTX_set_cert_cb(context, &PausingKey::pause, this);
}

// Runs on the fibre: libssl asks for the certificate before it signs.
int PausingKey::pause(SSL*, void* key) {
  auto& self = *static_cast<PausingKey*>(key);
  for (int i = 0; i < self.pauses_; ++i) {
    if (self.run_operation()) continue;
    ERR_raise(ERR_LIB_USER, 1);  // as a provider does
    return 0;
  }
  return 1;
}

bool PausingKey::run_operation() {
  ASYNC_JOB* job = ASYNC_get_current_job();
  if (job == nullptr) return true;
  Operation operation;
  ASYNC_WAIT_CTX* context = ASYNC_get_wait_ctx(job);
  if (ASYNC_WAIT_CTX_get_callback(context, &operation.callback, &operation.argument) != 1 ||
      operation.callback == nullptr) {
    return false;
  }
  {
    const std::scoped_lock lock(mutex_);
    pending_.push_back(&operation);
    ++begun_;
  }
  changed_.notify_all();
  for (;;) {
    ASYNC_pause_job();
    const std::scoped_lock lock(mutex_);
    if (operation.done) break;
    if (abandoning) {
      std::erase(pending_, &operation);
      ++abandoned_;
      return false;
    }
    ++resumed_early_;
    changed_.notify_all();
  }
  ++ended_;
  return !failing_;
}

void PausingKey::wake_all() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] {
      return stopping_ || (!pending_.empty() && (wakes_ == Wakes::by_itself || permits_ > 0));
    });
    if (stopping_) return;
    Operation* operation = pending_.front();
    pending_.erase(pending_.begin());
    if (permits_ > 0) --permits_;
    if (spurious_) {
      const int before = resumed_early_;
      operation->callback(operation->argument);
      changed_.wait(lock, [&] { return resumed_early_ > before; });
    }
    // Under the lock, as the contract asks: an abandoned operation is not woken any more.
    operation->done = true;
    operation->callback(operation->argument);
  }
}

bool PausingKey::wait_until_begun(int operations) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return begun_ >= operations; });
}

void PausingKey::finish_one() {
  {
    const std::scoped_lock lock(mutex_);
    ++permits_;
  }
  changed_.notify_all();
}

int PausingKey::abandon(async::ResumeFunction resume, void* argument) noexcept {
  const bool outer = std::exchange(abandoning, true);
  const int result = resume(argument);
  abandoning = outer;
  return result;
}

}  // namespace keystay::test
