#include "native/pkcs11/token_connection.h"

#include <algorithm>

#include "native/pkcs11/key_refusal.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/login.h"
#include "native/pkcs11/module_call.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

// A token that answers CKR_GENERAL_ERROR to one key's operations is not torn down for all others each time.
constexpr auto kBetweenRepairs = 1s;

// Session objects take the HSM's memory; past this many keys a session uses the token's own objects.
constexpr std::size_t kCopiesPerSession = 256;

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
