#include "native/pkcs11/session_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {
namespace {

using namespace std::chrono_literals;

// Between two attempts to open one more session at a token that had none free, so that not every signature
// tries.
constexpr auto kShortestPause = 500ms;
constexpr auto kLongestPause = 8000ms;

}  // namespace

SessionLease::SessionLease(SessionPool& pool, std::unique_ptr<PooledSession> session) noexcept
    : pool_(&pool), session_(std::move(session)) {}

SessionLease::SessionLease(SessionLease&& other) noexcept
    : pool_(other.pool_), session_(std::move(other.session_)) {}

SessionLease::~SessionLease() {
  if (session_) pool_->give_back(std::move(session_));
}

void SessionLease::discard() noexcept {
  session_.reset();  // C_CloseSession, before the place is free for another
  pool_->forget();
}

SessionPool::SessionPool(std::size_t limit, std::function<std::unique_ptr<PooledSession>(Deadline)> open)
    : configured_(std::max<std::size_t>(limit, 1)),
      open_(std::move(open)),
      limit_(configured_),
      granted_(configured_) {
  idle_.reserve(configured_);  // so that a return never allocates
}

SessionLease SessionPool::lease(Deadline deadline) {
  MutexLock lock(mutex_);
  for (;;) {
    if (!idle_.empty()) {
      std::unique_ptr<PooledSession> session = std::move(idle_.back());
      idle_.pop_back();
      ++lent_;
      return {*this, std::move(session)};
    }
    if (lent_ < granted_ || may_open(Clock::now())) {
      if (std::unique_ptr<PooledSession> session = open_one(deadline)) return {*this, std::move(session)};
      continue;  // the token has no more
    }
    wait_for_return(lock, deadline);
  }
}

// Whether the token, which had no more sessions, is to be asked again.
bool SessionPool::may_open(Clock::time_point now) const noexcept {
  return lent_ < limit_ && now >= ask_again_at_;
}

void SessionPool::wait_for_return(MutexLock& lock, Deadline deadline) {
  const bool asks_again = lent_ < limit_ && ask_again_at_ < deadline;
  if (lock.wait_until(returned_, asks_again ? ask_again_at_ : deadline) == std::cv_status::no_timeout) return;
  if (!idle_.empty() || lent_ < granted_ || Clock::now() < deadline) return;
  throw Error(ErrorClass::busy,
              "all " + std::to_string(granted_) +
                  " sessions are busy until the time-out; raise `sessions` or `timeout`" +
                  (granted_ < limit_ ? ", or give the token more: it had no more (CKR_SESSION_COUNT)" : ""));
}

std::unique_ptr<PooledSession> SessionPool::open_one(Deadline deadline) {
  const std::size_t others = lent_++;
  if (others >= granted_)
    ask_again_at_ = Clock::now() + kLongestPause;  // this one asks, and no other with it
  mutex_.unlock();
  try {
    std::unique_ptr<PooledSession> session = open_(deadline);
    mutex_.lock();
    note_success();
    return session;
  } catch (const Error& error) {
    mutex_.lock();
    release_place();
    if (error.code() != CKR_SESSION_COUNT || others == 0) throw;
    note_shortage(others);
    return nullptr;
  } catch (...) {
    mutex_.lock();
    release_place();
    throw;
  }
}

void SessionPool::note_shortage(std::size_t others) noexcept {
  granted_ = std::min(granted_, others);
  pause_ = std::clamp<std::chrono::milliseconds>(2 * pause_, kShortestPause, kLongestPause);
  ask_again_at_ = Clock::now() + pause_;
}

void SessionPool::note_success() noexcept {
  if (lent_ <= granted_) return;
  granted_ = lent_;
  pause_ = 0ms;
  ask_again_at_ = {};
  returned_.notify_one();  // who waits may ask for the next one
}

void SessionPool::release_place() noexcept {
  --lent_;
  returned_.notify_one();
}

void SessionPool::begin_epoch(std::uint64_t epoch) {
  std::vector<std::unique_ptr<PooledSession>> dead;
  dead.reserve(configured_);
  const MutexLock lock(mutex_);
  if (epoch <= epoch_) return;  // two repairs may end in either order
  epoch_ = epoch;
  granted_ = limit_;  // sessions that nobody else has are free again
  ask_again_at_ = {};
  dead.swap(idle_);
  // `dead` closes its sessions after the lock is released: it was made before.
}

void SessionPool::limit(std::size_t sessions) {
  const MutexLock lock(mutex_);
  const bool was_short = granted_ < limit_;
  limit_ = std::clamp<std::size_t>(sessions, 1, configured_);
  granted_ = was_short ? std::min(granted_, limit_) : limit_;
}

void SessionPool::give_back(std::unique_ptr<PooledSession> session) noexcept {
  std::unique_ptr<PooledSession> dead;
  const MutexLock lock(mutex_);
  if (session->epoch == epoch_) {
    idle_.push_back(std::move(session));
  } else {
    dead = std::move(session);  // closed after the lock is released: it was made before
  }
  release_place();
}

void SessionPool::forget() noexcept {
  const MutexLock lock(mutex_);
  release_place();
}

}  // namespace keystay::pkcs11
