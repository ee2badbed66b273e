#include "native/ha/members.h"

#include <algorithm>
#include <initializer_list>
#include <system_error>
#include <thread>

#include "native/ha/group.h"
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
// At the configuration.
constexpr auto kBetweenLooks = 1s;

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

// With the last of a member its sessions end, which calls the module, and may hang as any call.
template <typename T>
void end_elsewhere(std::unique_ptr<T> last) noexcept {
  try {
    const pkcs11::SignalsBlocked for_the_new_thread;
    std::thread([last = std::shared_ptr<T>(std::move(last))] {}).detach();
  } catch (const std::system_error&) {
    // It ended here.
  }
}

}  // namespace

Members::Members(Group& group, const GroupMakeup& makeup)
    : group_(group), roster_(make_roster(makeup, nullptr)) {}

Members::~Members() = default;

std::unique_ptr<const Members::Roster> Members::make_roster(const GroupMakeup& makeup,
                                                            const Roster* before) const {
  auto roster = std::make_unique<Roster>(Roster{makeup.settings, {}});
  for (const MemberToken& token : makeup.tokens) {
    MemberOptions options = group_.member_options(makeup, token);
    std::shared_ptr<Member> known;
    for (const auto& member : before ? before->members : std::vector<std::shared_ptr<Member>>())
      if (member->name() == token.name && member->source() == token.source) known = member;
    if (known && known->options() == options) {
      roster->members.push_back(std::move(known));
      continue;
    }
    const bool is_probed = before && !known && token.source->pin_supply() != keys::PinSupply::prompt;
    roster->members.push_back(std::make_shared<Member>(
        std::move(options), token.source, group_.member_notice(),
        is_probed ? Member::Start::probed : Member::Start::in_service, group_.operations_in_use()));
    if (known) roster->members.back()->take_health_of(*known);
  }
  return roster;
}

// At the first use: a group that is only loaded has no threads.
void Members::start_prober() {
  std::call_once(prober_started_, [&] {
    if (const auto makeup = group_.changed_makeup(FollowedFile::Patience::none))
      roster_.replace(make_roster(*makeup, nullptr));  // nobody has used those of before
    try {
      prober_ = std::make_unique<Prober>([this] { return do_what_is_due(); });
    } catch (const std::system_error& error) {
      throw Error(ErrorClass::host,
                  std::string("cannot start a thread that probes the members: ") + error.what());
    }
  });
}

Clock::time_point Members::do_what_is_due() {
  take_changes();
  const auto roster = roster_.read();
  const bool patient = active_members(roster->members, roster->settings.min_active).any();
  auto next = group_.follows_file() ? next_look_ : Clock::now() + 1h;
  for (const auto& member : roster->members) {
    if (member->next_probe(patient) <= Clock::now()) member->probe();
    next = std::min(next, member->next_probe(patient));
  }
  return next;
}

void Members::take_changes() {
  if (!group_.follows_file() || Clock::now() < next_look_) return;
  next_look_ = Clock::now() + kBetweenLooks;
  if (const auto makeup = group_.changed_makeup(FollowedFile::Patience::usual))
    roster_.replace(make_roster(*makeup, &*roster_.read()));
  for (auto& old : roster_.take_unread()) end_elsewhere(std::move(old));
}

std::optional<Members::Choice> Members::choose(const Roster& roster, MemberSet asked,
                                               const pkcs11::KeyReference* key) {
  const auto& [settings, members] = roster;
  MemberSet in_service;
  MemberSet fitting;  // in service, and not known to lack the key
  MemberSet repairing;
  MemberSet joining;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (asked.test(i)) continue;
    Member& member = *members[i];
    in_service.set(i, member.in_service());
    repairing.set(i, member.repairing());
    joining.set(i, member.joining());
    fitting.set(i, in_service.test(i) && !(key && member.lacks(*key)));
  }
  MemberSet candidates = active_members(members, settings.min_active) & fitting;
  if (candidates.none()) candidates = fitting;
  if (candidates.none()) candidates = repairing;
  // Nobody else is there: as at the start of a process, the first operation is the probe.
  if (candidates.none()) candidates = joining;
  // Where all lack the key, each is asked again for the reason.
  if (candidates.none()) candidates = in_service;
  if (candidates.none()) return std::nullopt;
  const std::size_t place =
      key ? best_of(members, candidates, settings, turn_.fetch_add(1, std::memory_order_relaxed))
          : first_of(members, candidates, settings);
  MemberSet others = in_service | repairing | joining;
  others.reset(place);
  return Choice{place, others.any()};
}

Deadline Members::attempt_deadline(const Roster& roster, const Choice& choice, Deadline deadline) {
  return choice.alternatives ? std::min(deadline, Clock::now() + roster.settings.attempt_timeout) : deadline;
}

std::size_t Members::perform(const Request& request, Deadline deadline) {
  start_prober();
  const auto roster = roster_.read();
  Answers answers;
  MemberSet asked;
  bool repairing = false;  // in a second round, which repairs on the way as a lone token does
  for (;;) {
    const std::optional<Choice> choice = choose(*roster, asked, &request.key);
    if (!choice) {
      if (!may_ask_again(answers, repairing, deadline)) throw all_failed(*roster, answers, asked);
      answers.clear();
      asked.reset();
      continue;
    }
    Member& member = *roster->members[choice->place];
    const bool repair_at_once = repairing || !choice->alternatives;
    try {
      return member.perform(request,
                            repair_at_once ? Member::Repair::at_once : Member::Repair::left_to_probes,
                            attempt_deadline(*roster, *choice, deadline));
    } catch (const Error& error) {
      const Consequence what_follows = consequence(error);
      if (what_follows == Consequence::none) throw;
      if (what_follows != Consequence::elsewhere) prober_->look();
      answers.emplace_back(member.name(), error);
      asked.set(choice->place);
      if (Clock::now() >= deadline) throw all_failed(*roster, answers, asked);
      member.note_replay();
    }
  }
}

bool Members::use(const Body& body, Deadline deadline) {
  start_prober();
  const auto roster = roster_.read();
  Answers answers;
  MemberSet asked;
  bool any_failed = false;
  while (const std::optional<Choice> choice = choose(*roster, asked, nullptr)) {
    Member& member = *roster->members[choice->place];
    try {
      if (body(member, attempt_deadline(*roster, *choice, deadline))) return true;
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
  if (any_failed || asked.count() != roster->members.size()) throw all_failed(*roster, answers, asked);
  return false;
}

bool Members::supports(const pkcs11::Operation& operation, Deadline deadline) {
  start_prober();
  const auto roster = roster_.read();
  const auto usable = [&](auto is_usable) {
    MemberSet set;
    for (std::size_t i = 0; i < roster->members.size(); ++i) set.set(i, ((*roster->members[i]).*is_usable)());
    return set;
  };
  MemberSet asked = usable(&Member::in_service);
  if (asked.none()) asked = usable(&Member::repairing);
  Answers answers;
  bool all = true;
  for (std::size_t i = 0; i < roster->members.size(); ++i) {
    if (!asked.test(i)) continue;
    try {
      all = roster->members[i]->supports(operation,
                                         attempt_deadline(*roster, {i, asked.count() > 1}, deadline)) &&
            all;
    } catch (const Error& error) {
      if (consequence(error) != Consequence::elsewhere) prober_->look();
      answers.emplace_back(roster->members[i]->name(), error);
    }
  }
  if (asked.none() || answers.size() == asked.count()) throw all_failed(*roster, answers, asked);
  return all;
}

Error Members::all_failed(const Roster& roster, const Answers& answers, MemberSet asked) {
  std::string said;
  for (const auto& [name, error] : answers)
    said.append(said.empty() ? "" : "; ").append(name).append(": ").append(error.what());
  for (std::size_t i = 0; i < roster.members.size(); ++i) {
    if (asked.test(i)) continue;
    const MemberStatus status = roster.members[i]->status();
    said.append(said.empty() ? "" : "; ").append(status.name).append(" (").append(to_string(status.service));
    said.append(status.reason.empty() ? ")" : "): ").append(status.reason);
  }
  return {class_of(answers), "no member of the group could do it: " + said};
}

GroupStatus Members::status() {
  const auto roster = roster_.read();
  GroupStatus status{group_.short_name(), roster->settings.min_active, {}};
  const MemberSet active = active_members(roster->members, roster->settings.min_active);
  for (std::size_t i = 0; i < roster->members.size(); ++i) {
    status.members.push_back(roster->members[i]->status());
    status.members.back().active = active.test(i);
  }
  return status;
}

std::optional<Error> Members::failure() {
  const auto roster = roster_.read();
  if (active_members(roster->members, roster->settings.min_active).any()) return std::nullopt;
  return all_failed(*roster, {}, {});
}

}  // namespace keystay::ha
