#include "native/pkcs11/token_connection.h"

#include <algorithm>
#include <thread>

#include "native/pkcs11/key_refusal.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/login.h"
#include "native/pkcs11/module_call.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

// Between two attempts to open a token that is down: it answers within a second of its return, and is not
// flooded.
constexpr auto kShortestPause = 50ms;
constexpr auto kLongestPause = 1000ms;

// A token that answers CKR_GENERAL_ERROR to one key's operations is not torn down for all others each time.
constexpr auto kBetweenRepairs = 1s;

// Session objects take the HSM's memory; past this many keys a session uses the token's own objects.
constexpr std::size_t kCopiesPerSession = 256;

// While one process logs in, SoftHSM writes the token's file anew, and others read it half. So opening is
// tried again a few times, for less than the first pause of a token that is really down.
constexpr auto kFirstWait = 10ms;
constexpr auto kLastWait = 80ms;

bool may_pass(const Error& error) {
  return error.error_class() == ErrorClass::session_lost || error.error_class() == ErrorClass::server;
}

// What only C_Finalize and C_Initialize cure: an RPC module whose server went away, a library that lost its
// HSM. Not an absent token among others, whose sessions would end.
bool wants_new_module(const Error& error) { return may_pass(error) && error.code() != CKR_TOKEN_NOT_PRESENT; }

}  // namespace

TokenConnection::TokenConnection(Module& module, const TokenOptions& options)
    : module_(module),
      options_(options),
      pool_(options.sessions, [this](Deadline deadline) { return open_pooled(deadline); }) {}

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
auto TokenConnection::repaired(Deadline deadline, const Body& body) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  try {
    return attempt(deadline, body);
  } catch (const Error& error) {
    if (!recover(error, seen, deadline)) throw;
  }
  return attempt(deadline, body);
}

std::size_t TokenConnection::perform(const KeyUse& use, Deadline deadline) {
  return repaired(deadline, [&](PooledSession& session) { return use_key(session, use, deadline); });
}

void TokenConnection::with_session(Deadline deadline, const std::function<void(Session&)>& body) {
  repaired(deadline, [&](PooledSession& session) { body(session.session); });
}

std::size_t TokenConnection::perform_once(const KeyUse& use, Deadline deadline) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  if (!open_.load(std::memory_order_acquire)) [[unlikely]]
    throw_if_down();
  try {
    return attempt(deadline, [&](PooledSession& session) { return use_key(session, use, deadline); });
  } catch (const Error& error) {
    note_failure(error, seen);
    throw;
  }
}

std::size_t TokenConnection::use_key(PooledSession& session, const KeyUse& use, Deadline deadline) {
  const CK_OBJECT_HANDLE handle = key_handle(session, use.key);
  try {
    return use_handle(session, handle, use, deadline);
  } catch (const Error& error) {
    throw explained(error, session.session, handle, use.operation);
  }
}

// A key with CKA_ALWAYS_AUTHENTICATE wants a login for each operation. Which key has it is known from the
// token's first refusal, so that no other key costs a call more.
std::size_t TokenConnection::use_handle(PooledSession& session, CK_OBJECT_HANDLE handle, const KeyUse& use,
                                        Deadline deadline) {
  auto& always = session.always_authenticate;
  if (std::ranges::find(always, handle) == always.end()) [[likely]] {
    try {
      return session.session.perform(handle, use.operation, use.data, use.result);
    } catch (const Error& error) {
      if (error.code() != CKR_USER_NOT_LOGGED_IN || !always_authenticates(session.session, handle)) throw;
    }
    always.push_back(handle);
  }
  return session.session.perform(handle, use.operation, use.data, use.result,
                                 [&] { authenticate(session.session, deadline); });
}

bool TokenConnection::recover(const Error& error, std::uint64_t seen, Deadline deadline) {
  switch (error.error_class()) {
    case ErrorClass::session_lost:
      repair(seen, deadline);
      return true;
    case ErrorClass::dirty_session:
      return true;  // the session was discarded, which is the repair
    case ErrorClass::server: {
      const MutexLock lock(mutex_);
      if (steady_clock::now() < repaired_at_ + kBetweenRepairs) return false;
      break;
    }
    case ErrorClass::client:
    case ErrorClass::busy:
    case ErrorClass::authentication:
    case ErrorClass::host:
      return false;
  }
  repair(seen, deadline);
  return true;
}

void TokenConnection::repair(std::uint64_t seen, Deadline deadline) {
  // A thread that waited for another's repair tries its operation; if the repair failed, opening throws its
  // error.
  opening_.run(deadline, [&] {
    if (epoch_.load(std::memory_order_acquire) != seen) return;
    open_.store(false, std::memory_order_release);
    begin_epoch();
    reconnect(deadline);
  });
}

void TokenConnection::begin_epoch() { end_epoch(epoch_.load(std::memory_order_acquire)); }

// Of several threads that have seen the same epoch, one ends it.
void TokenConnection::end_epoch(std::uint64_t epoch) {
  if (!epoch_.compare_exchange_strong(epoch, epoch + 1, std::memory_order_acq_rel)) return;
  {
    const MutexLock lock(mutex_);
    objects_.clear();
  }
  pool_.begin_epoch(epoch + 1);
}

TokenConnection::Place TokenConnection::open(Deadline deadline) {
  while (!open_.load(std::memory_order_acquire)) {
    opening_.run(deadline, [&] {
      if (!open_.load(std::memory_order_acquire)) reconnect(deadline);
    });
  }
  const MutexLock lock(mutex_);
  return *place_;
}

void TokenConnection::reconnect(Deadline deadline) {
  throw_if_backing_off();
  try {
    connect_with_retries(deadline);
  } catch (const Error& error) {
    // A PIN that is put right is tried at once; one that was refused is not tried again anyway (log_in).
    if (error.error_class() != ErrorClass::authentication) back_off(error);
    throw;
  }
}

void TokenConnection::connect_with_retries(Deadline deadline) {
  for (auto wait = 0ms; wait <= kLastWait; wait = std::max<std::chrono::milliseconds>(2 * wait, kFirstWait)) {
    const std::uint64_t generation = module_.generation();
    try {
      return connect(deadline);
    } catch (const Error& error) {
      const bool never_started = module_.generation() == 0;
      if (never_started || !may_pass(error) || wait == kLastWait || steady_clock::now() + wait > deadline ||
          (logins_ && logins_->record.doubtful.paused()))
        throw;
      std::this_thread::sleep_for(wait);
      if (generation == 0 || !wants_new_module(error)) continue;
    }
    login_session_.reset();
    module_.reinitialize(generation, deadline);
  }
}

void TokenConnection::connect(Deadline deadline) {
  CK_FUNCTION_LIST& functions = module_.functions(deadline);
  const Module::Use use = module_.use();
  const CK_SLOT_ID slot = find_slot(module_, options_.identity, deadline);
  const TokenInfo token = token_info(functions, slot);
  auto session = std::make_unique<Session>(module_, slot, SessionKind::read_only, deadline);
  logins_ = &module_.logins().of(token.label, token.serial);
  log_in(*session, token, options_.pin, *logins_, deadline);

  const std::uint64_t generation = session->generation();
  login_session_ = std::move(session);
  // CK_EFFECTIVELY_INFINITE is 0; one session is the login's.
  const bool bounded = token.max_sessions != CK_UNAVAILABLE_INFORMATION && token.max_sessions > 1;
  pool_.limit(bounded ? token.max_sessions - 1 : options_.sessions);
  const MutexLock lock(mutex_);
  place_ = Place{slot, token, generation};
  mechanisms_.clear();
  failure_.reset();
  attempt_failure_.reset();
  pause_ = 0ms;
  repaired_at_ = steady_clock::now();
  open_.store(true, std::memory_order_release);
}

void TokenConnection::back_off(const Error& error) {
  pause_ = std::clamp<std::chrono::milliseconds>(pause_ * 2, kShortestPause, kLongestPause);
  const MutexLock lock(mutex_);
  failure_ = error;
  retry_at_ = steady_clock::now() + pause_;
}

void TokenConnection::throw_if_down() {
  const MutexLock lock(mutex_);
  if (failure_) throw Error(*failure_);
}

void TokenConnection::note_failure(const Error& error, std::uint64_t seen) {
  if (!may_pass(error)) return;
  const MutexLock lock(mutex_);
  attempt_failure_ = error;
  failed_epoch_ = seen;
}

std::optional<Error> TokenConnection::failure() {
  const MutexLock lock(mutex_);
  if (failure_) return failure_;
  return failed_epoch_ == epoch_.load(std::memory_order_acquire) ? attempt_failure_ : std::nullopt;
}

void TokenConnection::recover_now(Deadline deadline) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  const bool is_broken = failure().has_value();
  if (is_broken && open_.load(std::memory_order_acquire)) repair(seen, deadline);
  static_cast<void>(open(deadline));
}

void TokenConnection::throw_if_backing_off() {
  const MutexLock lock(mutex_);
  if (failure_ && steady_clock::now() < retry_at_) throw Error(*failure_);
}

// Another token of the module may have started it anew meanwhile: then the slot may be another token's, and
// this one is logged out.
Session TokenConnection::open_at(const Place& place, SessionKind kind, Deadline deadline) {
  Session session(module_, place.slot, kind, deadline);
  if (session.generation() != place.generation)
    throw Error(ErrorClass::session_lost, "the PKCS#11 module was re-initialised");
  return session;
}

std::unique_ptr<PooledSession> TokenConnection::open_pooled(Deadline deadline) {
  const std::uint64_t epoch = epoch_.load(std::memory_order_acquire);
  const Place place = open(deadline);
  const Module::Use use = module_.use();
  return std::make_unique<PooledSession>(
      PooledSession{open_at(place, SessionKind::read_only, deadline), KeyHandles{}, epoch});
}

void TokenConnection::perform_rw(Deadline deadline, const std::function<void(Session&)>& body) {
  const auto once = [&] {
    const Place place = open(deadline);
    const Module::Use use = module_.use();
    Session session = open_at(place, SessionKind::read_write, deadline);
    // Nothing is changed on the ground of a view in which private objects are missing.
    require_login(session, place.token, options_.pin);
    body(session);
  };
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  try {
    return once();
  } catch (const Error& error) {
    if (!recover(error, seen, deadline) || error.error_class() != ErrorClass::session_lost) throw;
  }
  once();
}

CK_OBJECT_HANDLE TokenConnection::key_handle(PooledSession& session, const KeyReference& key) {
  if (const KnownKey* known = session.keys.find(key)) [[likely]] {
    if (known->object->due(options_.key_check)) [[unlikely]]
      look_at(*known->object, session);
    return known->handle;
  }
  std::shared_ptr<TokenKey> object = token_object(session.session, key);
  if (object->due(options_.key_check)) look_at(*object, session);  // another session found it
  CK_OBJECT_HANDLE handle = object->handle();
  if (options_.key_copies == KeyCopies::automatic && session.keys.size() < kCopiesPerSession) {
    try {
      handle = session.session.copy_object(handle, std::move(Template().flag(CKA_TOKEN, false)));
    } catch (const Error& error) {
      // A key or a token that forbids copies: the object itself signs as well, only slower.
      if (error.error_class() == ErrorClass::session_lost) throw;
    }
  }
  session.keys.put(key, {std::move(object), handle});
  return handle;
}

void TokenConnection::look_at(TokenKey& object, PooledSession& session) {
  if (object.look(session.session)) return;
  end_epoch(session.epoch);
  // The repair searches it anew, and throws the reason if it is gone.
  throw Error(ErrorClass::session_lost, "the key was destroyed or changed on the token");
}

std::shared_ptr<TokenKey> TokenConnection::token_object(Session& session, const KeyReference& key) {
  const std::uint64_t epoch = epoch_.load(std::memory_order_acquire);
  {
    const MutexLock lock(mutex_);
    // One that was found before the module started anew, by a session that was still in use then, is no key.
    if (const KnownKey* known = objects_.find(key);
        known && known->object->generation() == session.generation())
      return known->object;
  }
  const auto now = steady_clock::now();
  auto object = std::make_shared<TokenKey>(session, search_key(session, key), now);
  const MutexLock lock(mutex_);
  if (epoch == epoch_.load(std::memory_order_acquire)) objects_.put(key, {object, object->handle()});
  return object;
}

TokenInfo TokenConnection::known_token() {
  const MutexLock lock(mutex_);
  return place_->token;
}

CK_OBJECT_HANDLE TokenConnection::search_key(Session& session, const KeyReference& key) {
  try {
    return find_usable_private_key(session, key);
  } catch (const Error& error) {
    // Others may have lost all sessions, and with them the login, between this one's opening and the search.
    if (error.error_class() == ErrorClass::client && options_.pin) {
      require_login(session, known_token(), options_.pin);
    }
    throw;
  }
}

CK_FLAGS TokenConnection::uses_of(CK_MECHANISM_TYPE mechanism, Deadline deadline) {
  const std::uint64_t seen = epoch_.load(std::memory_order_acquire);
  try {
    return ask_for(mechanism, deadline);
  } catch (const Error& error) {
    if (!recover(error, seen, deadline)) throw;
  }
  return ask_for(mechanism, deadline);
}

CK_FLAGS TokenConnection::ask_for(CK_MECHANISM_TYPE mechanism, Deadline deadline) {
  const Place place = open(deadline);
  {
    const MutexLock lock(mutex_);
    if (const auto known = mechanisms_.find(mechanism); known != mechanisms_.end()) return known->second;
  }
  const Module::Use use = module_.use();
  CK_MECHANISM_INFO info{};
  const CK_RV rv = ModuleCall(module_.functions(deadline))->C_GetMechanismInfo(place.slot, mechanism, &info);
  if (rv != CKR_OK && rv != CKR_MECHANISM_INVALID) check(rv, "C_GetMechanismInfo");
  const MutexLock lock(mutex_);
  return mechanisms_[mechanism] = rv == CKR_OK ? info.flags : 0;
}

void TokenConnection::authenticate(Session& session, Deadline deadline) {
  const TokenInfo token = open(deadline).token;
  log_in_for_operation(session, token, options_.pin, module_.logins().of(token.label, token.serial),
                       deadline);
}

TokenInfo TokenConnection::info(Deadline deadline) { return open(deadline).token; }

}  // namespace keystay::pkcs11
