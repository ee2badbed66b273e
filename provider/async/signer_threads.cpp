#include "provider/async/signer_threads.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <pthread.h>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/signals_blocked.h"

namespace keystay::provider {
namespace {

using pkcs11::Deadline;
using pkcs11::MutexLock;

// How long the provider, when it is unloaded, waits for a thread that is in the module.
constexpr std::chrono::milliseconds kStopLimit{500};

}  // namespace

// Shared by the threads, which may outlive SignerThreads. All requests are for one token, whose time-out is
// one: the lists are in the order of their deadlines.
class SignerThreads::Workers final : public std::enable_shared_from_this<Workers> {
 public:
  Workers(std::size_t threads, std::size_t queue) : most_threads_(threads), most_waiting_(queue) {}

  bool submit(const AsyncRequestPtr& request, Admission admission) KEYSTAY_EXCLUDES(mutex_);
  bool stop() noexcept KEYSTAY_EXCLUDES(mutex_);

 private:
  using Requests = std::list<AsyncRequestPtr>;

  void start_threads() KEYSTAY_REQUIRES(mutex_);
  void start(void (Workers::*body)(), const char* name) KEYSTAY_REQUIRES(mutex_);
  // What the threads run, and how each ends.
  void sign() KEYSTAY_EXCLUDES(mutex_);
  void watch() KEYSTAY_EXCLUDES(mutex_);
  void end_thread() noexcept KEYSTAY_EXCLUDES(mutex_);
  [[nodiscard]] std::optional<Deadline> next_deadline() const KEYSTAY_REQUIRES(mutex_);
  [[nodiscard]] Requests take_expired(Deadline now) KEYSTAY_REQUIRES(mutex_);

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  pkcs11::Mutex mutex_;
  std::condition_variable work_;
  std::condition_variable watch_;
  std::condition_variable ended_;
  Requests waiting_ KEYSTAY_GUARDED_BY(mutex_);
  Requests running_ KEYSTAY_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ KEYSTAY_GUARDED_BY(mutex_);
  std::size_t signers_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  std::size_t idle_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  std::size_t alive_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  bool watching_ KEYSTAY_GUARDED_BY(mutex_) = false;      // the watch thread exists
  bool has_deadline_ KEYSTAY_GUARDED_BY(mutex_) = false;  // and waits for one
  bool stopping_ KEYSTAY_GUARDED_BY(mutex_) = false;
};

bool SignerThreads::Workers::submit(const AsyncRequestPtr& request, Admission admission) {
  const MutexLock lock(mutex_);
  if (admission == Admission::bounded && waiting_.size() >= most_waiting_) return false;
  waiting_.push_back(request);
  try {
    start_threads();
  } catch (const std::system_error& error) {
    // With a watch thread and a signer there is progress, if slower.
    if (!watching_ || signers_ == 0) {
      waiting_.pop_back();
      throw Error(Reason::resources, std::string("cannot start a thread that signs: ") + error.what());
    }
  }
  work_.notify_one();
  if (!has_deadline_) watch_.notify_one();
  return true;
}

void SignerThreads::Workers::start_threads() {
  if (!watching_) {
    start(&Workers::watch, "keystay-watch");
    watching_ = true;
  }
  if (idle_ < waiting_.size() && signers_ < most_threads_) {
    start(&Workers::sign, "keystay-signer");
    ++signers_;
  }
}

void SignerThreads::Workers::start(void (Workers::*body)(), const char* name) {
  const pkcs11::SignalsBlocked for_the_new_thread;
  threads_.reserve(threads_.size() + 1);
  threads_.emplace_back([self = shared_from_this(), body] {
    (self.get()->*body)();
    self->end_thread();
  });
  pthread_setname_np(threads_.back().native_handle(), name);
  ++alive_;
}

void SignerThreads::Workers::end_thread() noexcept {
  // Before the library context of Software may be freed.
  OPENSSL_thread_stop();
  const MutexLock lock(mutex_);
  --alive_;
  ended_.notify_all();
}

void SignerThreads::Workers::sign() {
  MutexLock lock(mutex_);
  for (;;) {
    ++idle_;
    while (!stopping_ && waiting_.empty()) lock.wait(work_);
    --idle_;
    if (stopping_) return;
    running_.splice(running_.end(), waiting_, waiting_.begin());
    const auto place = std::prev(running_.end());
    AsyncRequestPtr request = *place;
    lock.unlock();
    request->run();
    lock.lock();
    running_.erase(place);
    lock.unlock();
    request.reset();  // perhaps the last owner, of a key too: not under the lock
    lock.lock();
  }
}

void SignerThreads::Workers::watch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    const auto deadline = next_deadline();
    has_deadline_ = deadline.has_value();
    if (deadline) {
      lock.wait_until(watch_, *deadline);
    } else {
      lock.wait(watch_);
    }
    const Requests expired = take_expired(std::chrono::steady_clock::now());
    lock.unlock();
    for (const auto& request : expired) request->expire();
    lock.lock();
  }
}

std::optional<Deadline> SignerThreads::Workers::next_deadline() const {
  for (const auto& request : running_) {
    if (request->pending()) return request->deadline();
  }
  if (!waiting_.empty()) return waiting_.front()->deadline();
  return std::nullopt;
}

// Those that wait leave the queue; those that run stay with their signer threads.
SignerThreads::Workers::Requests SignerThreads::Workers::take_expired(Deadline now) {
  Requests expired;
  for (const auto& request : running_) {
    if (request->pending() && request->deadline() <= now) expired.push_back(request);
  }
  while (!waiting_.empty() && waiting_.front()->deadline() <= now) {
    expired.splice(expired.end(), waiting_, waiting_.begin());
  }
  return expired;
}

bool SignerThreads::Workers::stop() noexcept {
  MutexLock lock(mutex_);
  if (std::exchange(stopping_, true)) return alive_ == 0;
  Requests unwanted = std::exchange(waiting_, {});
  work_.notify_all();
  watch_.notify_all();
  const Deadline limit = std::chrono::steady_clock::now() + kStopLimit;
  while (alive_ != 0 && lock.wait_until(ended_, limit) == std::cv_status::no_timeout) {
  }
  const bool all_ended = alive_ == 0;
  auto threads = std::exchange(threads_, {});
  lock.unlock();
  for (const auto& request : unwanted) request->expire();
  for (auto& thread : threads) all_ended ? thread.join() : thread.detach();
  return all_ended;
}

SignerThreads::SignerThreads(std::size_t threads, std::size_t queue)
    : workers_([=] { return std::make_unique<Share>(Share{std::make_shared<Workers>(threads, queue)}); }) {}

SignerThreads::~SignerThreads() { stop(); }

bool SignerThreads::submit(const AsyncRequestPtr& request, Admission admission) {
  return workers_.get().workers->submit(request, admission);
}

bool SignerThreads::stop() noexcept { return workers_.get().workers->stop(); }

}  // namespace keystay::provider
