#include "native/pkcs11/session_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "native/pkcs11/error.h"

namespace keystay::pkcs11 {

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
    : open_(std::move(open)), limit_(std::max<std::size_t>(limit, 1)) {
  idle_.reserve(limit_);  // so that a return never allocates
}

SessionLease SessionPool::lease(Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!idle_.empty()) {
      std::unique_ptr<PooledSession> session = std::move(idle_.back());
      idle_.pop_back();
      ++lent_;
      return {*this, std::move(session)};
    }
    if (lent_ < limit_) {
      if (std::unique_ptr<PooledSession> session = open_one(lock, deadline))
        return {*this, std::move(session)};
      continue;  // the token has no more: the limit is lower now
    }
    if (returned_.wait_until(lock, deadline) == std::cv_status::timeout && idle_.empty() && lent_ >= limit_) {
      throw Error(ErrorClass::busy,
                  "all " + std::to_string(limit_) +
                      " sessions are busy until the time-out; raise `sessions` or `timeout`");
    }
  }
}

std::unique_ptr<PooledSession> SessionPool::open_one(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  const std::size_t others = lent_++;
  lock.unlock();
  try {
    return open_(deadline);
  } catch (const Error& error) {
    lock.lock();
    release_place();
    if (error.code() != CKR_SESSION_COUNT || others == 0) throw;
    limit_ = std::min(limit_, others);
    return nullptr;
  } catch (...) {
    lock.lock();
    release_place();
    throw;
  }
}

void SessionPool::release_place() noexcept {
  --lent_;
  returned_.notify_one();
}

void SessionPool::begin_epoch(std::uint64_t epoch) {
  std::vector<std::unique_ptr<PooledSession>> dead;
  dead.reserve(limit_);
  const std::lock_guard lock(mutex_);
  if (epoch <= epoch_) return;  // two repairs may end in either order
  epoch_ = epoch;
  dead.swap(idle_);
  // `dead` closes its sessions after the lock is released: it was made before.
}

void SessionPool::limit(std::size_t sessions) {
  const std::lock_guard lock(mutex_);
  limit_ = std::clamp<std::size_t>(sessions, 1, limit_);
}

void SessionPool::give_back(std::unique_ptr<PooledSession> session) noexcept {
  std::unique_ptr<PooledSession> dead;
  const std::lock_guard lock(mutex_);
  if (session->epoch == epoch_) {
    idle_.push_back(std::move(session));
  } else {
    dead = std::move(session);  // closed after the lock is released: it was made before
  }
  release_place();
}

void SessionPool::forget() noexcept {
  const std::lock_guard lock(mutex_);
  release_place();
}

}  // namespace keystay::pkcs11
