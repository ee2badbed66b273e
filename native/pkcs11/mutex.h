// std::mutex with annotations by which clang checks who holds it (scripts/check_locks.py runs
// -Wthread-safety: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html). For other compilers they are
// nothing.
#pragma once

#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define KEYSTAY_ANNOTATION(...) __attribute__((__VA_ARGS__))
#else
#define KEYSTAY_ANNOTATION(...)
#endif

// A member that is read and written only by who holds the mutex.
#define KEYSTAY_GUARDED_BY(mutex) KEYSTAY_ANNOTATION(guarded_by(mutex))
// A function that its caller calls with the mutex held; behind the parameters of a lambda too.
#define KEYSTAY_REQUIRES(mutex) KEYSTAY_ANNOTATION(requires_capability(mutex))
// A function that takes the mutex itself.
#define KEYSTAY_EXCLUDES(mutex) KEYSTAY_ANNOTATION(locks_excluded(mutex))

namespace keystay::pkcs11 {

class KEYSTAY_ANNOTATION(capability("mutex")) Mutex final {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() KEYSTAY_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() KEYSTAY_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// std::unique_lock of a Mutex. Waits release it and take it again; what they wait for is asked in a loop by
// the caller, who holds the mutex there.
class KEYSTAY_ANNOTATION(scoped_lockable) MutexLock final {
 public:
  explicit MutexLock(Mutex& mutex) KEYSTAY_ANNOTATION(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() KEYSTAY_ANNOTATION(release_capability()) = default;

  void unlock() KEYSTAY_ANNOTATION(release_capability()) { lock_.unlock(); }
  void lock() KEYSTAY_ANNOTATION(acquire_capability()) { lock_.lock(); }

  void wait(std::condition_variable& condition) { condition.wait(lock_); }
  template <typename Clock, typename Duration>
  std::cv_status wait_until(std::condition_variable& condition,
                            const std::chrono::time_point<Clock, Duration>& time) {
    return condition.wait_until(lock_, time);
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace keystay::pkcs11
