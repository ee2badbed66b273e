// How a connection is opened, and opened again, and what is known of why it is not.
#include <algorithm>
#include <optional>
#include <thread>

#include "native/pkcs11/login.h"
#include "native/pkcs11/slot.h"
#include "native/pkcs11/token_connection.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

// Between two attempts to open a token that is down: it answers within a second of its return, and is not
// flooded.
constexpr auto kShortestPause = 50ms;
constexpr auto kLongestPause = 1000ms;

// While one process logs in, SoftHSM writes the token's file anew, and others read it half. So opening is
// tried again a few times, for less than the first pause of a token that is really down.
constexpr auto kFirstWait = 10ms;
constexpr auto kLastWait = 80ms;

// A module may know the tokens that it saw at C_Initialize, as it read them then, and no others: SoftHSM
// does. Between two C_Initialize for a token that its module does not show beside others.
constexpr auto kShortestRestartPause = 1s;
constexpr auto kLongestRestartPause = 5min;
// How long the other tokens wait, at most, while calls that are under way have not returned.
constexpr auto kRestartLimit = 500ms;

bool may_pass(const Error& error) {
  return error.error_class() == ErrorClass::session_lost || error.error_class() == ErrorClass::server;
}

}  // namespace

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
    std::optional<Deadline> restart;
    try {
      return connect(deadline);
    } catch (const Error& error) {
      const bool never_started = module_.generation() == 0;
      if (never_started || !may_pass(error) || wait == kLastWait || steady_clock::now() + wait > deadline ||
          (logins_ && logins_->record.doubtful.paused()))
        throw;
      std::this_thread::sleep_for(wait);
      if (generation != 0) restart = restart_limit(error, deadline);
    }
    if (!restart) continue;
    login_session_.reset();
    module_.reinitialize(generation, *restart);
  }
}

// Until when the module may be started anew to cure `error`; nothing if it is not to be. One that shows other
// tokens works for those, and to start it anew ends their sessions, which their next uses repair; and it may
// show this one again in a moment, as SoftHSM does while another process writes the token's file. So it is
// done now and then, to a token that stays away, and not while a call hangs.
std::optional<Deadline> TokenConnection::restart_limit(const Error& error, Deadline deadline) {
  if (error.code() != CKR_TOKEN_NOT_PRESENT) return deadline;
  const auto now = steady_clock::now();
  const bool is_first = restart_pause_ == 0ms;
  if (!is_first && now < restart_at_) return std::nullopt;
  restart_pause_ =
      std::clamp<std::chrono::milliseconds>(2 * restart_pause_, kShortestRestartPause, kLongestRestartPause);
  restart_at_ = now + restart_pause_;
  if (is_first) return std::nullopt;
  return std::min(deadline, now + kRestartLimit);
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
  pause_ = restart_pause_ = 0ms;
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

}  // namespace keystay::pkcs11
