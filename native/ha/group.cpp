#include "native/ha/group.h"

#include <algorithm>
#include <utility>

namespace keystay::ha {

using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;

Group::Group(std::string name, config::GroupSettings settings, std::vector<MemberToken> tokens, Notice notice)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      tokens_(std::move(tokens)),
      notice_(std::move(notice)),
      members_([this] { return make_members(); }) {}

std::unique_ptr<Members> Group::make_members() const {
  std::vector<std::shared_ptr<Member>> members;
  for (const MemberToken& token : tokens_) {
    MemberOptions options{token.name, token.zone,
                          // With one member there is no other to try.
                          settings_.leave_hung_calls && tokens_.size() > 1, settings_.attempt_timeout,
                          settings_.probe_pauses, settings_.check_interval};
    members.push_back(
        std::make_shared<Member>(std::move(options), token.source,
                                 // A probe that hangs may outlive the group.
                                 [group = name(), notice = notice_](const std::string& sentence) {
                                   if (notice) notice(group + ": " + sentence);
                                 }));
  }
  return std::make_unique<Members>(name_, settings_, std::move(members));
}

std::size_t Group::perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                           pkcs11::ByteView data, std::span<std::uint8_t> result, Deadline deadline) {
  try {
    return members_.get().perform({key, operation, data, result}, deadline);
  } catch (const Error& error) {
    throw error.on(key.name() + " on " + name());
  }
}

bool Group::supports(const pkcs11::Operation& operation) {
  bool all = true;
  bool any_answer = false;
  Answers answers;
  for (const auto& member : members_.get().all()) {
    if (!member->in_service()) continue;
    try {
      all = member->source().operations()->supports(operation) && all;
      any_answer = true;
    } catch (const Error& error) {
      answers.emplace_back(member->name(), error);
    }
  }
  if (any_answer) return all;
  if (!answers.empty()) throw answers.front().second.on(name());
  throw members_.get().failure().value_or(Error(ErrorClass::server, "no member is in service")).on(name());
}

Deadline Group::deadline() const { return std::chrono::steady_clock::now() + settings_.timeout; }

pkcs11::HungCalls Group::hung_calls() const {
  return tokens_.size() == 1 ? tokens_.front().source->operations()->hung_calls()
                             : pkcs11::HungCalls::waited_for;
}

bool Group::use(const std::function<bool(keys::KeySource&)>& body) {
  try {
    return members_.get().use(body, deadline());
  } catch (const Error& error) {
    throw error.on(name());
  }
}

std::optional<Error> Group::failure() {
  const auto failure = members_.get().failure();
  return failure ? std::optional(failure->on(name())) : std::nullopt;
}

}  // namespace keystay::ha
