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
  Workers(std::function<std::size_t()> capacity, std::size_t queue)
      : capacity_(std::move(capacity)), most_waiting_(queue) {}

  bool submit(const AsyncRequestPtr& request, Admission admission) KEYSTAY_EXCLUDES(mutex_);
  bool stop() noexcept KEYSTAY_EXCLUDES(mutex_);
  [[nodiscard]] Load load() KEYSTAY_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return {waiting_.size(), running_.size()};
  }

 private:
  using Requests = std::list<AsyncRequestPtr>;

  // A signer thread that has nothing to do.
  struct Idle {
    std::condition_variable called;
    bool is_called = false;
  };

  void start_threads() KEYSTAY_REQUIRES(mutex_);
  void start(void (Workers::*body)(), const char* name) KEYSTAY_REQUIRES(mutex_);
  // What the threads run, and how each ends.
  void sign() KEYSTAY_EXCLUDES(mutex_);
  [[nodiscard]] std::shared_ptr<Idle> call_idle() KEYSTAY_REQUIRES(mutex_);
  void wait_for_work(MutexLock& lock, const std::shared_ptr<Idle>& self) KEYSTAY_REQUIRES(mutex_);
  void watch() KEYSTAY_EXCLUDES(mutex_);
  void end_thread() noexcept KEYSTAY_EXCLUDES(mutex_);
  [[nodiscard]] std::optional<Deadline> next_deadline() const KEYSTAY_REQUIRES(mutex_);
  [[nodiscard]] Requests take_expired(Deadline now) KEYSTAY_REQUIRES(mutex_);

  const std::function<std::size_t()> capacity_;
  const std::size_t most_waiting_;
  pkcs11::Mutex mutex_;
  std::condition_variable watch_;
  std::condition_variable ended_;
  Requests waiting_ KEYSTAY_GUARDED_BY(mutex_);
  Requests running_ KEYSTAY_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ KEYSTAY_GUARDED_BY(mutex_);
  std::size_t signers_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  // The last one that became idle is called first: what it needs is still in a processor's cache, and of many
  // threads only as many run as there is work for.
  std::vector<std::shared_ptr<Idle>> idle_ KEYSTAY_GUARDED_BY(mutex_);
  std::size_t alive_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  bool watching_ KEYSTAY_GUARDED_BY(mutex_) = false;      // the watch thread exists
  bool has_deadline_ KEYSTAY_GUARDED_BY(mutex_) = false;  // and waits for one
  bool stopping_ KEYSTAY_GUARDED_BY(mutex_) = false;
};

bool SignerThreads::Workers::submit(const AsyncRequestPtr& request, Admission admission) {
  MutexLock lock(mutex_);
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
  const std::shared_ptr<Idle> signer = call_idle();
  const bool unwatched = !has_deadline_;
  // Who is woken while the mutex is held waits for it at once: three more system calls for each signature.
  lock.unlock();
  if (signer) signer->called.notify_one();
  if (unwatched) watch_.notify_one();
  return true;
}

void SignerThreads::Workers::start_threads() {
  if (!watching_) {
    start(&Workers::watch, "keystay-watch");
    watching_ = true;
  }
  if (idle_.empty() && signers_ < capacity_()) {
    idle_.reserve(signers_ + 1);
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

// Nothing if all are busy; they look for work before they become idle.
std::shared_ptr<SignerThreads::Workers::Idle> SignerThreads::Workers::call_idle() {
  if (idle_.empty()) return nullptr;
  std::shared_ptr<Idle> signer = std::move(idle_.back());
  idle_.pop_back();
  signer->is_called = true;
  return signer;
}

void SignerThreads::Workers::wait_for_work(MutexLock& lock, const std::shared_ptr<Idle>& self) {
  while (!stopping_ && waiting_.empty()) {
    self->is_called = false;
    idle_.push_back(self);
    while (!self->is_called) lock.wait(self->called);
  }
}

void SignerThreads::Workers::sign() {
  const auto self = std::make_shared<Idle>();
  MutexLock lock(mutex_);
  for (;;) {
    wait_for_work(lock, self);
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
  while (const std::shared_ptr<Idle> signer = call_idle()) signer->called.notify_one();
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

SignerThreads::SignerThreads(std::function<std::size_t()> capacity, std::size_t queue)
    : workers_([capacity = std::move(capacity), queue] {
        return std::make_unique<Share>(Share{std::make_shared<Workers>(capacity, queue)});
      }) {}

SignerThreads::~SignerThreads() { stop(); }

bool SignerThreads::submit(const AsyncRequestPtr& request, Admission admission) {
  return workers_.get().workers->submit(request, admission);
}

SignerThreads::Load SignerThreads::load() { return workers_.get().workers->load(); }

bool SignerThreads::stop() noexcept { return workers_.get().workers->stop(); }

}  // namespace keystay::provider
