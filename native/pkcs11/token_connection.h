// What one process has with one token: the slot it is in, the login, the sessions and the handles found so
// far.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>

#include "native/pkcs11/error.h"
#include "native/pkcs11/key_refusal.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/session_pool.h"
#include "native/pkcs11/single_flight.h"
#include "native/pkcs11/token.h"

namespace keystay::pkcs11 {

// An *epoch* is the time between two repairs. Sessions and handles belong to the epoch they were made in and
// die with it. Nothing here holds a lock across a call into the module.
class TokenConnection final {
 public:
  TokenConnection(Module& module, const TokenOptions& options);

  // Runs `body` with a pooled session; after an error that a repair can cure, repairs and runs it once more.
  template <typename Body>
  auto perform(Deadline deadline, const Body& body);

  // One attempt. Remembers what a repair could cure, for failure(), and leaves it to recover_now(). While the
  // token is down it throws what the last opening failed with, and does not open it.
  template <typename Body>
  auto perform_once(Deadline deadline, const Body& body);
  [[nodiscard]] std::optional<Error> failure();
  void recover_now(Deadline deadline);
  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

  // The same with a session of its own that may write. Runs `body` again only if its session was lost: what a
  // sick token may have done half is not done twice.
  void perform_rw(Deadline deadline, const std::function<void(Session&)>& body);

  // The handle to sign with in this session: its own copy of the key, or the token's object. That object is
  // looked at every key_check; if it is gone, the epoch ends, and with it all copies.
  [[nodiscard]] CK_OBJECT_HANDLE key_handle(PooledSession& session, const KeyReference& key);

  // Runs `body` with what it has to do once its operation has begun: nothing, or for a key with
  // CKA_ALWAYS_AUTHENTICATE a login. Which key has it is learnt from the token's first refusal, so that no
  // other key costs a call more.
  template <typename Body>
  auto use_key(PooledSession& session, CK_OBJECT_HANDLE key, Deadline deadline, const Body& body);

  // CKF_SIGN, CKF_DECRYPT … of CK_MECHANISM_INFO; none for a mechanism that the token lacks.
  [[nodiscard]] CK_FLAGS uses_of(CK_MECHANISM_TYPE mechanism, Deadline deadline);
  [[nodiscard]] TokenInfo info(Deadline deadline);

  // Ends the epoch: sessions are closed and handles searched anew, but the login stays.
  void begin_epoch();

 private:
  struct Place {
    CK_SLOT_ID slot;
    TokenInfo token;
  };

  template <typename Body>
  auto attempt(Deadline deadline, const Body& body);
  void authenticate(Session& session, Deadline deadline);

  // Repairs what the error says is broken. False if that would not help.
  [[nodiscard]] bool recover(const Error& error, std::uint64_t seen, Deadline deadline);
  void repair(std::uint64_t seen, Deadline deadline);

  [[nodiscard]] Place open(Deadline deadline);
  void reconnect(Deadline deadline);
  void connect_with_retries(Deadline deadline);
  void connect(Deadline deadline);
  void back_off(const Error& error);
  void throw_if_backing_off();
  void throw_if_down();
  void note_failure(const Error& error, std::uint64_t seen);

  [[nodiscard]] CK_FLAGS ask_for(CK_MECHANISM_TYPE mechanism, Deadline deadline);
  [[nodiscard]] std::unique_ptr<PooledSession> open_pooled(Deadline deadline);
  [[nodiscard]] std::shared_ptr<TokenKey> token_object(Session& session, const KeyReference& key);
  void look_at(TokenKey& object, PooledSession& session);
  void end_epoch(std::uint64_t epoch);

  Module& module_;
  const TokenOptions& options_;

  SingleFlight opening_;
  std::atomic<bool> open_{false};
  std::atomic<std::uint64_t> epoch_{0};
  // Only the thread that opens touches these.
  std::unique_ptr<Session> login_session_;  // keeps the login: a token logs out with its last session
  std::chrono::milliseconds pause_{0};
  LoginHistory* logins_ = nullptr;  // of the token that was found last

  Mutex mutex_;
  std::optional<Place> place_ KEYSTAY_GUARDED_BY(mutex_);
  KeyHandles objects_ KEYSTAY_GUARDED_BY(mutex_);  // the token's own, of this epoch
  std::map<CK_MECHANISM_TYPE, CK_FLAGS> mechanisms_ KEYSTAY_GUARDED_BY(mutex_);
  // Why the last opening failed, told again until retry_at_.
  std::optional<Error> failure_ KEYSTAY_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point retry_at_ KEYSTAY_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point repaired_at_ KEYSTAY_GUARDED_BY(mutex_);
  // Of one attempt, in failed_epoch_.
  std::optional<Error> attempt_failure_ KEYSTAY_GUARDED_BY(mutex_);
  std::uint64_t failed_epoch_ KEYSTAY_GUARDED_BY(mutex_) = 0;

  SessionPool pool_;
};

template <typename Body>
auto TokenConnection::attempt(Deadline deadline, const Body& body) {
  SessionLease lease = pool_.lease(deadline);
  try {
    const Module::Use use = module_.use();
    if (!lease->session.alive())
      throw Error(ErrorClass::session_lost, "the PKCS#11 module was re-initialised");
    return body(*lease);
  } catch (const Error& error) {
    // A key that was not found is no fault of the session, which may hold the copies of others.
    if (error.code() || error.error_class() != ErrorClass::client) lease.discard();
    throw;
  } catch (...) {
    lease.discard();
    throw;
  }
}

template <typename Body>
auto TokenConnection::use_key(PooledSession& session, CK_OBJECT_HANDLE key, Deadline deadline,
                              const Body& body) {
  auto& always = session.always_authenticate;
  if (std::find(always.begin(), always.end(), key) == always.end()) {
    try {
      return body(OperationBegun());
    } catch (const Error& error) {
      if (error.code() != CKR_USER_NOT_LOGGED_IN || !always_authenticates(session.session, key)) throw;
    }
    always.push_back(key);
  }
  return body(OperationBegun([&] { authenticate(session.session, deadline); }));
}

template <typename Body>
auto TokenConnection::perform_once(Deadline deadline, const Body& body) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  if (!open_.load(std::memory_order_acquire)) [[unlikely]]
    throw_if_down();
  try {
    return attempt(deadline, body);
  } catch (const Error& error) {
    note_failure(error, seen);
    throw;
  }
}

template <typename Body>
auto TokenConnection::perform(Deadline deadline, const Body& body) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  try {
    return attempt(deadline, body);
  } catch (const Error& error) {
    if (!recover(error, seen, deadline)) throw;
  }
  return attempt(deadline, body);
}

}  // namespace keystay::pkcs11
