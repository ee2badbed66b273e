#include "native/ha/members.h"

#include <algorithm>
#include <initializer_list>
#include <system_error>
#include <thread>

#include "native/pkcs11/mutex.h"
#include "native/pkcs11/signals_blocked.h"

namespace keystay::ha {
namespace {

using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// When all members are busy, until they are asked again.
constexpr auto kBusyPause = 10ms;

bool any_of(const Answers& answers, std::initializer_list<ErrorClass> classes) {
  return std::ranges::any_of(answers, [&](const auto& answer) {
    return std::ranges::find(classes, answer.second.error_class()) != classes.end();
  });
}

// The class of the whole operation's error, of those of its attempts: one that may pass by itself comes
// first.
ErrorClass class_of(const Answers& answers) noexcept {
  if (answers.empty() || any_of(answers, {ErrorClass::server, ErrorClass::session_lost}))
    return ErrorClass::server;
  if (any_of(answers, {ErrorClass::busy, ErrorClass::dirty_session})) return ErrorClass::busy;
  if (any_of(answers, {ErrorClass::host})) return ErrorClass::host;
  return any_of(answers, {ErrorClass::authentication}) ? ErrorClass::authentication : ErrorClass::client;
}

// All have been asked. Lost sessions are repaired, once; who was busy is asked again after a pause.
bool may_ask_again(const Answers& answers, bool& repairing, Deadline deadline) {
  if (any_of(answers, {ErrorClass::session_lost, ErrorClass::dirty_session}) &&
      !std::exchange(repairing, true))
    return true;
  if (!any_of(answers, {ErrorClass::busy}) || Clock::now() + kBusyPause >= deadline) return false;
  std::this_thread::sleep_for(kBusyPause);
  return true;
}

}  // namespace

// Calls no module itself, so that it always can be ended: members make their probes on threads of their own.
class Members::Prober final {
 public:
  Prober(std::vector<std::shared_ptr<Member>> members, std::size_t min_active)
      : members_(std::move(members)), min_active_(min_active) {
    const pkcs11::SignalsBlocked for_the_new_thread;
    thread_ = std::thread([this] { work(); });
    pthread_setname_np(thread_.native_handle(), "keystay-probe");
  }
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober() {
    {
      const pkcs11::MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  // A member's state has changed.
  void look() {
    {
      const pkcs11::MutexLock lock(mutex_);
      changed_ = true;
    }
    wake_.notify_all();
  }

 private:
  void work() {
    pkcs11::MutexLock lock(mutex_);
    while (!stopping_) {
      changed_ = false;
      lock.unlock();
      const auto next = probe_who_is_due();
      lock.lock();
      while (!stopping_ && !changed_) {
        if (lock.wait_until(wake_, next) == std::cv_status::timeout) break;
      }
    }
  }

  // Returns when the next member is due.
  Clock::time_point probe_who_is_due() {
    const bool patient = active_members(members_, min_active_).any();
    auto next = Clock::now() + 1h;
    for (const auto& member : members_) {
      if (member->next_probe(patient) <= Clock::now()) member->probe();
      next = std::min(next, member->next_probe(patient));
    }
    return next;
  }

  const std::vector<std::shared_ptr<Member>> members_;
  const std::size_t min_active_;
  pkcs11::Mutex mutex_;
  std::condition_variable wake_;
  bool changed_ KEYSTAY_GUARDED_BY(mutex_) = false;
  bool stopping_ KEYSTAY_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

Members::Members(std::string group, const config::GroupSettings& settings,
                 std::vector<std::shared_ptr<Member>> members)
    : group_(std::move(group)), settings_(settings), members_(std::move(members)) {}

Members::~Members() = default;

// At the first use: a group that is only loaded has no threads.
void Members::start_prober() {
  std::call_once(prober_started_, [&] {
    try {
      prober_ = std::make_unique<Prober>(members_, settings_.min_active);
    } catch (const std::system_error& error) {
      throw Error(ErrorClass::host,
                  std::string("cannot start a thread that probes the members: ") + error.what());
    }
  });
}

std::optional<Members::Choice> Members::choose(MemberSet asked, const pkcs11::KeyReference* key) {
  MemberSet in_service;
  MemberSet fitting;  // in service, and not known to lack the key
  MemberSet repairing;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (asked.test(i)) continue;
    Member& member = *members_[i];
    in_service.set(i, member.in_service());
    repairing.set(i, member.repairing());
    fitting.set(i, in_service.test(i) && !(key && member.lacks(*key)));
  }
  MemberSet candidates = active_members(members_, settings_.min_active) & fitting;
  if (candidates.none()) candidates = fitting;
  if (candidates.none()) candidates = repairing;
  // Where all lack the key, each is asked again for the reason.
  if (candidates.none()) candidates = in_service;
  if (candidates.none()) return std::nullopt;
  const std::size_t place =
      key ? best_of(members_, candidates, settings_, turn_.fetch_add(1, std::memory_order_relaxed))
          : first_of(members_, candidates, settings_);
  MemberSet others = in_service | repairing;
  others.reset(place);
  return Choice{place, others.any()};
}

Deadline Members::attempt_deadline(const Choice& choice, Deadline deadline) const {
  return choice.alternatives ? std::min(deadline, Clock::now() + settings_.attempt_timeout) : deadline;
}

std::size_t Members::perform(const Request& request, Deadline deadline) {
  start_prober();
  Answers answers;
  MemberSet asked;
  bool repairing = false;  // in a second round, which repairs on the way as a lone token does
  for (;;) {
    const std::optional<Choice> choice = choose(asked, &request.key);
    if (!choice) {
      if (!may_ask_again(answers, repairing, deadline)) throw all_failed(answers, asked);
      answers.clear();
      asked.reset();
      continue;
    }
    Member& member = *members_[choice->place];
    const bool repair_at_once = repairing || !choice->alternatives;
    try {
      return member.perform(request,
                            repair_at_once ? Member::Repair::at_once : Member::Repair::left_to_probes,
                            attempt_deadline(*choice, deadline));
    } catch (const Error& error) {
      const Consequence what_follows = consequence(error);
      if (what_follows == Consequence::none) throw;
      if (what_follows != Consequence::elsewhere) prober_->look();
      answers.emplace_back(member.name(), error);
      asked.set(choice->place);
      if (Clock::now() >= deadline) throw all_failed(answers, asked);
      member.note_replay();
    }
  }
}

bool Members::use(const Body& body, Deadline deadline) {
  start_prober();
  Answers answers;
  MemberSet asked;
  bool any_failed = false;
  while (const std::optional<Choice> choice = choose(asked, nullptr)) {
    Member& member = *members_[choice->place];
    try {
      if (body(member, attempt_deadline(*choice, deadline))) return true;
      answers.emplace_back(member.name(), Error(ErrorClass::client, "it is not there"));
    } catch (const Error& error) {
      const Consequence what_follows = consequence(error);
      if (what_follows == Consequence::none) throw;
      if (what_follows != Consequence::elsewhere) prober_->look();
      answers.emplace_back(member.name(), error);
      any_failed = true;
    }
    asked.set(choice->place);
  }
  if (any_failed || asked.count() != members_.size()) throw all_failed(answers, asked);
  return false;
}

bool Members::supports(const pkcs11::Operation& operation, Deadline deadline) {
  start_prober();
  const auto usable = [&](auto is_usable) {
    MemberSet set;
    for (std::size_t i = 0; i < members_.size(); ++i) set.set(i, ((*members_[i]).*is_usable)());
    return set;
  };
  MemberSet asked = usable(&Member::in_service);
  if (asked.none()) asked = usable(&Member::repairing);
  Answers answers;
  bool all = true;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (!asked.test(i)) continue;
    try {
      all = members_[i]->supports(operation, attempt_deadline({i, asked.count() > 1}, deadline)) && all;
    } catch (const Error& error) {
      if (consequence(error) != Consequence::elsewhere) prober_->look();
      answers.emplace_back(members_[i]->name(), error);
    }
  }
  if (asked.none() || answers.size() == asked.count()) throw all_failed(answers, asked);
  return all;
}

Error Members::all_failed(const Answers& answers, MemberSet asked) {
  std::string said;
  for (const auto& [name, error] : answers)
    said.append(said.empty() ? "" : "; ").append(name).append(": ").append(error.what());
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (asked.test(i)) continue;
    const MemberStatus status = members_[i]->status();
    said.append(said.empty() ? "" : "; ").append(status.name).append(" (").append(to_string(status.service));
    said.append(status.reason.empty() ? ")" : "): ").append(status.reason);
  }
  return {class_of(answers), "no member of the group could do it: " + said};
}

GroupStatus Members::status() {
  GroupStatus status{group_, settings_.min_active, {}};
  const MemberSet active = active_members(members_, settings_.min_active);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    status.members.push_back(members_[i]->status());
    status.members.back().active = active.test(i);
  }
  return status;
}

std::optional<Error> Members::failure() {
  if (active_members(members_, settings_.min_active).any()) return std::nullopt;
  return all_failed({}, {});
}

}  // namespace keystay::ha
