// What one process has with one token: the slot it is in, the login, the sessions and the handles found so
// far.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>

#include "native/pkcs11/error.h"
#include "native/pkcs11/mutex.h"
#include "native/pkcs11/session_pool.h"
#include "native/pkcs11/single_flight.h"
#include "native/pkcs11/token.h"

namespace keystay::pkcs11 {

// One operation by one key; borrows all of it.
struct KeyUse {
  const KeyReference& key;
  const Operation& operation;
  ByteView data;
  std::span<std::uint8_t> result;
};

// An *epoch* is the time between two repairs. Sessions and handles belong to the epoch they were made in and
// die with it. Nothing here holds a lock across a call into the module.
class TokenConnection final {
 public:
  TokenConnection(Module& module, const TokenOptions& options);

  // Performs it with a pooled session; after an error that a repair can cure, repairs and performs it once
  // more. Returns the length of the result.
  std::size_t perform(const KeyUse& use, Deadline deadline);
  // The same for a body that reads the token.
  void with_session(Deadline deadline, const std::function<void(Session&)>& body);

  // One attempt. Remembers what a repair could cure, for failure(), and leaves it to recover_now(). While the
  // token is down it throws what the last opening failed with, and does not open it.
  std::size_t perform_once(const KeyUse& use, Deadline deadline);
  [[nodiscard]] std::optional<Error> failure();
  void recover_now(Deadline deadline);
  [[nodiscard]] bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

  // The same with a session of its own that may write. Runs `body` again only if its session was lost: what a
  // failing token may have half done is not done twice.
  void perform_rw(Deadline deadline, const std::function<void(Session&)>& body);

  // CKF_SIGN, CKF_DECRYPT … of CK_MECHANISM_INFO; none for a mechanism that the token lacks.
  [[nodiscard]] CK_FLAGS uses_of(CK_MECHANISM_TYPE mechanism, Deadline deadline);
  [[nodiscard]] TokenInfo info(Deadline deadline);

  // Ends the epoch: sessions are closed and handles searched anew, but the login stays.
  void begin_epoch();

 private:
  struct Place {
    CK_SLOT_ID slot;
    TokenInfo token;
    std::uint64_t generation;  // of the module, when the slot was found
  };

  template <typename Body>
  auto repaired(Deadline deadline, const Body& body);
  template <typename Body>
  auto attempt(Deadline deadline, const Body& body);
  std::size_t use_key(PooledSession& session, const KeyUse& use, Deadline deadline);
  [[nodiscard]] std::size_t use_handle(PooledSession& session, CK_OBJECT_HANDLE handle, const KeyUse& use,
                                       Deadline deadline);
  // The handle to sign with in this session: its own copy of the key, or the token's object. That object is
  // looked at every key_check; if it is gone, the epoch ends, and with it all copies.
  [[nodiscard]] CK_OBJECT_HANDLE key_handle(PooledSession& session, const KeyReference& key);
  void authenticate(Session& session, Deadline deadline);

  // Repairs what the error says is broken. False if that would not help.
  [[nodiscard]] bool recover(const Error& error, std::uint64_t seen, Deadline deadline);
  void repair(std::uint64_t seen, Deadline deadline);

  [[nodiscard]] Place open(Deadline deadline);
  void reconnect(Deadline deadline);
  void connect_with_retries(Deadline deadline);
  void connect(Deadline deadline);
  [[nodiscard]] std::optional<Deadline> restart_limit(const Error& error, Deadline deadline);
  void back_off(const Error& error);
  void throw_if_backing_off();
  void throw_if_down();
  void note_failure(const Error& error, std::uint64_t seen);

  [[nodiscard]] CK_FLAGS ask_for(CK_MECHANISM_TYPE mechanism, Deadline deadline);
  [[nodiscard]] Session open_at(const Place& place, SessionKind kind, Deadline deadline);
  [[nodiscard]] std::unique_ptr<PooledSession> open_pooled(Deadline deadline);
  [[nodiscard]] std::shared_ptr<TokenKey> token_object(Session& session, const KeyReference& key);
  [[nodiscard]] TokenInfo known_token();  // once it was opened
  [[nodiscard]] CK_OBJECT_HANDLE search_key(Session& session, const KeyReference& key);
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
  std::chrono::milliseconds restart_pause_{0};
  std::chrono::steady_clock::time_point restart_at_;
  LoginHistory* logins_ = nullptr;  // of the token that was found last

  Mutex mutex_;
  std::optional<Place> place_ KEYSTAY_GUARDED_BY(mutex_);
  KeyHandles objects_ KEYSTAY_GUARDED_BY(mutex_);  // the token's own, of this epoch
  std::map<CK_MECHANISM_TYPE, CK_FLAGS> mechanisms_ KEYSTAY_GUARDED_BY(mutex_);
  // Why the last opening failed, thrown again until retry_at_.
  std::optional<Error> failure_ KEYSTAY_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point retry_at_ KEYSTAY_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point repaired_at_ KEYSTAY_GUARDED_BY(mutex_);
  // Of one attempt, in failed_epoch_.
  std::optional<Error> attempt_failure_ KEYSTAY_GUARDED_BY(mutex_);
  std::uint64_t failed_epoch_ KEYSTAY_GUARDED_BY(mutex_) = 0;

  SessionPool pool_;
};

}  // namespace keystay::pkcs11
