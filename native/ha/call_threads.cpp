#include "native/ha/call_threads.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <list>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/signals_blocked.h"

namespace keystay::ha {
namespace {

using pkcs11::Deadline;

constexpr std::chrono::milliseconds kStopLimit{500};

enum class JobState { waiting, running, returned, left };

struct Job {
  Job(std::shared_ptr<Call> wanted, bool somebody_waits) : call(std::move(wanted)), awaited(somebody_waits) {}

  const std::shared_ptr<Call> call;
  const bool awaited;
  JobState state = JobState::waiting;
  std::condition_variable ended;
};

using JobPtr = std::shared_ptr<Job>;

// What a module keeps for a thread is freed by the thread itself, last of all (pthread_key_create); that must
// not run while the process ends, and may hang as any code of a module. A join has no limit, so the system is
// asked.
void wait_for_the_end_of(const std::vector<pid_t>& threads, Deadline limit) {
  for (const pid_t thread : threads) {
    while (::tgkill(::getpid(), thread, 0) == 0 && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace

// Held by the threads as well, which may outlive CallThreads. One mutex guards everything, the jobs included.
class CallThreads::Shared final : public std::enable_shared_from_this<Shared> {
 public:
  explicit Shared(std::size_t threads) : most_threads_(threads) {}

  [[nodiscard]] CallEnd run(const std::shared_ptr<Call>& call, Deadline deadline);
  [[nodiscard]] JobPtr start(const std::shared_ptr<Call>& call);
  void give_up(const JobPtr& job);
  void leave_all();
  void stop();
  [[nodiscard]] std::size_t left() const;

 private:
  JobPtr add(const std::shared_ptr<Call>& call, bool awaited) KEYSTAY_REQUIRES(mutex_);
  void start_thread() KEYSTAY_REQUIRES(mutex_);
  [[nodiscard]] CallEnd leave(const JobPtr& job) KEYSTAY_REQUIRES(mutex_);
  void work();

  const std::size_t most_threads_;
  mutable pkcs11::Mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_again_;
  std::deque<JobPtr> waiting_ KEYSTAY_GUARDED_BY(mutex_);
  std::list<JobPtr> running_ KEYSTAY_GUARDED_BY(mutex_);
  std::size_t threads_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  std::vector<pid_t> ended_ KEYSTAY_GUARDED_BY(mutex_);  // threads that have left work()
  std::size_t idle_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  std::size_t left_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  bool stopping_ KEYSTAY_GUARDED_BY(mutex_) = false;
};

JobPtr CallThreads::Shared::add(const std::shared_ptr<Call>& call, bool awaited) {
  JobPtr job = std::make_shared<Job>(call, awaited);
  waiting_.push_back(job);
  if (idle_ < waiting_.size() && threads_ < most_threads_) {
    try {
      start_thread();
    } catch (const std::system_error& error) {
      if (threads_ == 0) {
        waiting_.pop_back();
        throw pkcs11::Error(pkcs11::ErrorClass::host,
                            std::string("cannot start a thread for a call into the module: ") + error.what());
      }
    }
  }
  return job;
}

void CallThreads::Shared::start_thread() {
  ended_.reserve(threads_ + 1);
  const pkcs11::SignalsBlocked for_the_new_thread;
  std::thread thread([self = shared_from_this()] { self->work(); });
  pthread_setname_np(thread.native_handle(), "keystay-call");
  thread.detach();
  ++threads_;
}

void CallThreads::Shared::work() {
  pkcs11::MutexLock lock(mutex_);
  for (;;) {
    ++idle_;
    while (!stopping_ && waiting_.empty()) lock.wait(work_);
    --idle_;
    if (stopping_) break;
    running_.splice(running_.end(), std::list<JobPtr>{std::move(waiting_.front())});
    waiting_.pop_front();
    const auto place = std::prev(running_.end());
    JobPtr job = *place;
    job->state = JobState::running;
    lock.unlock();
    job->call->run();
    lock.lock();
    running_.erase(place);
    if (job->state == JobState::left) --left_;
    job->state = JobState::returned;
    lock.unlock();
    job->ended.notify_all();
    job.reset();  // perhaps the last owner of a call: not under the lock
    lock.lock();
  }
  --threads_;
  ended_.push_back(::gettid());
  idle_again_.notify_all();
}

CallEnd CallThreads::Shared::run(const std::shared_ptr<Call>& call, Deadline deadline) {
  pkcs11::MutexLock lock(mutex_);
  if (left_ == most_threads_) return CallEnd::not_begun;  // they may never come back
  const JobPtr job = add(call, true);
  // Who is woken while the mutex is held waits for it at once.
  lock.unlock();
  work_.notify_one();
  lock.lock();
  while (job->state != JobState::returned && job->state != JobState::left) {
    if (lock.wait_until(job->ended, deadline) == std::cv_status::timeout) break;
  }
  return job->state == JobState::returned ? CallEnd::returned : leave(job);
}

// A job that has not begun never will.
CallEnd CallThreads::Shared::leave(const JobPtr& job) {
  if (const auto place = std::ranges::find(waiting_, job); place != waiting_.end()) waiting_.erase(place);
  const bool begun = std::ranges::find(running_, job) != running_.end();
  if (job->state == JobState::running) ++left_;
  job->state = JobState::left;
  return begun ? CallEnd::left : CallEnd::not_begun;
}

JobPtr CallThreads::Shared::start(const std::shared_ptr<Call>& call) {
  JobPtr job;
  {
    const pkcs11::MutexLock lock(mutex_);
    job = add(call, false);
  }
  work_.notify_one();
  return job;
}

void CallThreads::Shared::give_up(const JobPtr& job) {
  const pkcs11::MutexLock lock(mutex_);
  if (job->state == JobState::waiting || job->state == JobState::running) static_cast<void>(leave(job));
}

void CallThreads::Shared::leave_all() {
  const pkcs11::MutexLock lock(mutex_);
  for (const JobPtr& job : running_) {
    if (!job->awaited) continue;
    if (job->state == JobState::running) ++left_;
    job->state = JobState::left;
    job->ended.notify_all();
  }
  std::erase_if(waiting_, [](const JobPtr& job) {
    if (!job->awaited) return false;  // it has to be made all the same
    job->state = JobState::left;
    job->ended.notify_all();
    return true;
  });
}

void CallThreads::Shared::stop() {
  leave_all();
  pkcs11::MutexLock lock(mutex_);
  stopping_ = true;
  work_.notify_all();
  const auto limit = std::chrono::steady_clock::now() + kStopLimit;
  while (threads_ != 0) {
    if (lock.wait_until(idle_again_, limit) == std::cv_status::timeout) break;
  }
  const std::vector<pid_t> ended = ended_;
  lock.unlock();
  wait_for_the_end_of(ended, limit);
}

std::size_t CallThreads::Shared::left() const {
  const pkcs11::MutexLock lock(mutex_);
  return left_;
}

CallThreads::CallThreads(std::size_t threads) : shared_(std::make_shared<Shared>(threads)) {}

CallThreads::~CallThreads() { shared_->stop(); }

CallEnd CallThreads::run(const std::shared_ptr<Call>& call, Deadline deadline) {
  return shared_->run(call, deadline);
}

CallThreads::Started CallThreads::start(const std::shared_ptr<Call>& call) { return shared_->start(call); }

void CallThreads::leave(const Started& started) { shared_->give_up(std::static_pointer_cast<Job>(started)); }

void CallThreads::leave_all() { shared_->leave_all(); }

std::size_t CallThreads::left() const { return shared_->left(); }

}  // namespace keystay::ha
