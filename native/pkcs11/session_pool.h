// The sessions of one token, lent to one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "native/pkcs11/key_handles.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/session.h"

namespace keystay::pkcs11 {

// A session and the keys it signs with: its own copies, or the token's objects.
struct PooledSession {
  Session session;
  KeyHandles keys;
  std::uint64_t epoch;  // the token's epoch in which it was opened
  std::vector<CK_OBJECT_HANDLE>
      always_authenticate{};  // those of the keys that want a login for each operation
};

class SessionPool;

// One session, borrowed. Returns to the pool on destruction, unless it was discarded.
class SessionLease final {
 public:
  SessionLease(SessionPool& pool, std::unique_ptr<PooledSession> session) noexcept;
  SessionLease(SessionLease&& other) noexcept;
  SessionLease& operator=(SessionLease&&) = delete;
  ~SessionLease();

  [[nodiscard]] PooledSession& operator*() const noexcept { return *session_; }
  [[nodiscard]] PooledSession* operator->() const noexcept { return session_.get(); }

  // Closes the session instead of returning it: after an error its state is not known.
  void discard() noexcept;

 private:
  SessionPool* pool_;
  std::unique_ptr<PooledSession> session_;
};

// Bounded. Last in, first out, so that an idle HSM keeps as few sessions as its load needs. No lock is held
// across any call into the module.
//
// Three numbers bound it: `sessions` of the configuration, what CK_TOKEN_INFO.ulMaxSessionCount says at each
// opening, and, for a time, what the token gave before it answered CKR_SESSION_COUNT. Others may have taken
// the rest then, so one more session is asked for after a pause, and the next one as soon as that succeeds.
class SessionPool final {
 public:
  // `open` opens one session; it runs without a lock, on the thread that wants the lease.
  SessionPool(std::size_t limit, std::function<std::unique_ptr<PooledSession>(Deadline)> open);

  // Waits for a session until the deadline. Throws Error (busy) then, and whatever `open` throws. If the
  // token has no session left (CKR_SESSION_COUNT) and others are on loan, waits for one of these, or until it
  // is time to ask the token again.
  [[nodiscard]] SessionLease lease(Deadline deadline);

  // From now on sessions of this epoch are lent, and those of others closed: the idle ones now, the rest on
  // return.
  void begin_epoch(std::uint64_t epoch);

  // Bounds the pool to what the token offers, if that is less than was configured.
  void limit(std::size_t sessions);

 private:
  using Clock = std::chrono::steady_clock;

  friend class SessionLease;
  void give_back(std::unique_ptr<PooledSession> session) noexcept;
  void forget() noexcept;  // a lent session was closed
  // Without the mutex while the module opens it.
  [[nodiscard]] std::unique_ptr<PooledSession> open_one(Deadline deadline) KEYSTAY_REQUIRES(mutex_);
  void release_place() noexcept KEYSTAY_REQUIRES(mutex_);
  [[nodiscard]] bool may_open(Clock::time_point now) const noexcept KEYSTAY_REQUIRES(mutex_);
  void wait_for_return(MutexLock& lock, Deadline deadline) KEYSTAY_REQUIRES(mutex_);
  void note_shortage(std::size_t others) noexcept KEYSTAY_REQUIRES(mutex_);
  void note_success() noexcept KEYSTAY_REQUIRES(mutex_);

  const std::size_t configured_;
  std::function<std::unique_ptr<PooledSession>(Deadline)> open_;

  Mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PooledSession>> idle_ KEYSTAY_GUARDED_BY(mutex_);
  // The least of what is configured and what the token offers.
  std::size_t limit_ KEYSTAY_GUARDED_BY(mutex_);
  // What the token gave when it was last short of sessions; else limit_.
  std::size_t granted_ KEYSTAY_GUARDED_BY(mutex_);
  Clock::time_point ask_again_at_ KEYSTAY_GUARDED_BY(mutex_){};
  std::chrono::milliseconds pause_ KEYSTAY_GUARDED_BY(mutex_){0};
  std::size_t lent_ KEYSTAY_GUARDED_BY(mutex_) = 0;
  std::uint64_t epoch_ KEYSTAY_GUARDED_BY(mutex_) = 0;
};

}  // namespace keystay::pkcs11
