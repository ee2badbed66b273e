// How a member is found to be well, or not, when nobody asks it for anything.
#include <algorithm>
#include <exception>
#include <utility>

#include "native/ha/left_call.h"
#include "native/ha/member.h"
#include "native/pkcs11/mechanism_names.h"
#include "native/pkcs11/session.h"

namespace keystay::ha {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using namespace std::chrono_literals;

constexpr auto kImpatientPause = 1s;  // between probes while no other member can do the work

// C_GetSessionInfo.
void ask_for_sign_of_life(keys::KeySource& source) {
  source.with_session([](pkcs11::Session& session) { static_cast<void>(session.state()); });
}

}  // namespace

// Repairs what is broken, asks for a sign of life, and repeats what failed last.
class Member::Probe final : public Call {
 public:
  Probe(std::shared_ptr<Member> member, std::function<void(keys::KeySource&)> last_failed)
      : member_(std::move(member)), last_failed_(std::move(last_failed)) {}

  void run() noexcept override {
    try {
      check();
      member_->probe_ended(std::nullopt);
    } catch (const Error& error) {
      member_->probe_ended(error);
    } catch (const std::exception& error) {
      member_->probe_ended(Error(ErrorClass::host, error.what()));
    }
  }

 private:
  void check() {
    keys::KeySource& source = *member_->source_;
    source.recover();
    ask_for_sign_of_life(source);
    if (!member_->in_service()) require_what_is_needed(source);
    if (!last_failed_) return;
    try {
      last_failed_(source);
    } catch (const Error& error) {
      if (error.error_class() == ErrorClass::server || error.error_class() == ErrorClass::authentication)
        throw;
    }
  }

  // That a key which is in use can be used there too: its mechanisms were chosen for those of before.
  void require_what_is_needed(keys::KeySource& source) const {
    for (const pkcs11::Operation& operation : member_->needed_) {
      if (source.operations()->supports(operation)) continue;
      throw Error(ErrorClass::server,
                  source.name() + " does not support " + pkcs11::mechanism_name(pkcs11::type(operation)) +
                      ", which keys in use need; restart the servers to go on without it");
    }
  }

  const std::shared_ptr<Member> member_;
  const std::function<void(keys::KeySource&)> last_failed_;
};

Member::Clock::time_point Member::next_probe(bool patient) {
  const pkcs11::MutexLock lock(mutex_);
  if (probe_ == ProbeState::overdue) return Clock::time_point::max();
  if (probe_ == ProbeState::running) return asked_at_ + options_.probe_timeout;
  switch (service_.load()) {
    case Service::in: {
      const auto last = Clock::time_point(Clock::duration(last_answer_.load(std::memory_order_relaxed)));
      // Nobody is asked for a PIN from behind.
      if (last == Clock::time_point() && source_->pin_supply() == keys::PinSupply::prompt)
        return Clock::time_point::max();
      return std::max({last, since_, asked_at_}) + options_.check_interval;
    }
    case Service::joining:  // at once, likewise
      if (asked_at_ == Clock::time_point()) return asked_at_;
      break;
    case Service::repairing:  // at once, and then as one that is out of service
      if (asked_at_ == since_) return asked_at_;
      break;
    case Service::out:
    case Service::refused:
      break;
  }
  return asked_at_ + (patient ? pause() : std::min<std::chrono::milliseconds>(pause(), kImpatientPause));
}

void Member::probe() {
  std::function<void(keys::KeySource&)> last_failed;
  bool overdue = false;
  {
    const pkcs11::MutexLock lock(mutex_);
    overdue = probe_ == ProbeState::running;
    probe_ = overdue ? ProbeState::overdue : ProbeState::running;
    if (!overdue) asked_at_ = Clock::now();
    if (service_.load() == Service::out) last_failed = last_failed_;
  }
  if (overdue) {
    take_out(Service::out, hung(source_->name()));
    return;
  }
  try {
    calls_.start(std::make_shared<Probe>(shared_from_this(), std::move(last_failed)));
  } catch (const Error& error) {
    probe_ended(error);
  }
}

void Member::probe_ended(const std::optional<Error>& error) {
  Service before{};
  {
    const pkcs11::MutexLock lock(mutex_);
    probe_ = ProbeState::none;
    before = service_.load();
    asked_at_ = Clock::now();
    if (error && (before == Service::out || before == Service::refused)) ++failures_;
  }
  if (!error) {
    last_answer_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    bring_back();
    return;
  }
  if (error->error_class() == ErrorClass::host || error->error_class() == ErrorClass::busy) return;
  take_out(error->error_class() == ErrorClass::authentication ? Service::refused : Service::out, *error);
}

}  // namespace keystay::ha
