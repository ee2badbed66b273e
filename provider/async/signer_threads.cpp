#include "provider/async/signer_threads.h"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>

namespace keystay::provider {
namespace {

using pkcs11::Deadline;

constexpr std::chrono::milliseconds kFarewell{
    500};  // for a thread in the module when the provider is unloaded

// A thread that is started while this lives gets no signals: they are the application's.
class SignalsBlocked final {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

// Shared by the threads, which may outlive SignerThreads. All requests are for one token, whose time-out is
// one: the lists are in the order of their deadlines.
class SignerThreads::Crew final : public std::enable_shared_from_this<Crew> {
 public:
  Crew(std::size_t threads, std::size_t queue) : most_threads_(threads), most_waiting_(queue) {}

  bool submit(const AsyncRequestPtr& request, Admission admission);
  bool stop() noexcept;

 private:
  using Requests = std::list<AsyncRequestPtr>;

  void staff_up();
  void start(void (Crew::*duty)(), const char* name);
  void leave() noexcept;
  void sign();
  void watch();
  [[nodiscard]] std::optional<Deadline> next_deadline() const;
  [[nodiscard]] Requests take_expired(Deadline now);

  const std::size_t most_threads_;
  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable watch_;
  std::condition_variable left_;
  Requests waiting_;
  Requests running_;
  std::vector<std::thread> threads_;
  std::size_t signers_ = 0;
  std::size_t idle_ = 0;
  std::size_t alive_ = 0;
  bool watching_ = false;   // the watch thread exists
  bool has_alarm_ = false;  // and waits for a deadline
  bool stopping_ = false;
};

bool SignerThreads::Crew::submit(const AsyncRequestPtr& request, Admission admission) {
  const std::lock_guard lock(mutex_);
  if (admission == Admission::bounded && waiting_.size() >= most_waiting_) return false;
  waiting_.push_back(request);
  try {
    staff_up();
  } catch (const std::system_error& error) {
    // With a watch thread and a signer there is progress, if slower.
    if (!watching_ || signers_ == 0) {
      waiting_.pop_back();
      throw Error(Reason::resources, std::string("cannot start a thread that signs: ") + error.what());
    }
  }
  work_.notify_one();
  if (!has_alarm_) watch_.notify_one();
  return true;
}

void SignerThreads::Crew::staff_up() {
  if (!watching_) {
    start(&Crew::watch, "keystay-watch");
    watching_ = true;
  }
  if (idle_ < waiting_.size() && signers_ < most_threads_) {
    start(&Crew::sign, "keystay-signer");
    ++signers_;
  }
}

void SignerThreads::Crew::start(void (Crew::*duty)(), const char* name) {
  const SignalsBlocked for_the_new_thread;
  threads_.reserve(threads_.size() + 1);
  threads_.emplace_back([self = shared_from_this(), duty] {
    (self.get()->*duty)();
    self->leave();
  });
  pthread_setname_np(threads_.back().native_handle(), name);
  ++alive_;
}

void SignerThreads::Crew::leave() noexcept {
  // Before the library context of Software may be freed.
  OPENSSL_thread_stop();
  const std::lock_guard lock(mutex_);
  --alive_;
  left_.notify_all();
}

void SignerThreads::Crew::sign() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
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

void SignerThreads::Crew::watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto alarm = next_deadline();
    has_alarm_ = alarm.has_value();
    if (alarm) {
      watch_.wait_until(lock, *alarm);
    } else {
      watch_.wait(lock);
    }
    const Requests expired = take_expired(std::chrono::steady_clock::now());
    lock.unlock();
    for (const auto& request : expired) request->expire();
    lock.lock();
  }
}

std::optional<Deadline> SignerThreads::Crew::next_deadline() const {
  for (const auto& request : running_) {
    if (request->pending()) return request->deadline();
  }
  if (!waiting_.empty()) return waiting_.front()->deadline();
  return std::nullopt;
}

// Those that wait leave the queue; those that run stay with their signer threads.
SignerThreads::Crew::Requests SignerThreads::Crew::take_expired(Deadline now) {
  Requests expired;
  for (const auto& request : running_) {
    if (request->pending() && request->deadline() <= now) expired.push_back(request);
  }
  while (!waiting_.empty() && waiting_.front()->deadline() <= now) {
    expired.splice(expired.end(), waiting_, waiting_.begin());
  }
  return expired;
}

bool SignerThreads::Crew::stop() noexcept {
  std::unique_lock lock(mutex_);
  if (std::exchange(stopping_, true)) return alive_ == 0;
  Requests unwanted = std::exchange(waiting_, {});
  work_.notify_all();
  watch_.notify_all();
  const bool all_left = left_.wait_for(lock, kFarewell, [&] { return alive_ == 0; });
  auto threads = std::exchange(threads_, {});
  lock.unlock();
  for (const auto& request : unwanted) request->expire();
  for (auto& thread : threads) all_left ? thread.join() : thread.detach();
  return all_left;
}

SignerThreads::SignerThreads(std::size_t threads, std::size_t queue)
    : crew_([=] { return std::make_unique<Share>(Share{std::make_shared<Crew>(threads, queue)}); }) {}

SignerThreads::~SignerThreads() { stop(); }

bool SignerThreads::submit(const AsyncRequestPtr& request, Admission admission) {
  return crew_.get().crew->submit(request, admission);
}

bool SignerThreads::stop() noexcept { return crew_.get().crew->stop(); }

}  // namespace keystay::provider
