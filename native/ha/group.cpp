#include "native/ha/group.h"

#include <algorithm>
#include <utility>

namespace keystay::ha {

using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;

Group::Group(std::string name, config::GroupSettings settings, std::vector<MemberToken> tokens, Notice notice,
             Verifier verifier)
    : name_(std::move(name)),
      settings_(std::move(settings)),
      tokens_(std::move(tokens)),
      notice_(std::move(notice)),
      verifier_(std::move(verifier)),
      members_([this] { return make_members(); }) {}

std::unique_ptr<Members> Group::make_members() const {
  std::vector<std::shared_ptr<Member>> members;
  for (const MemberToken& token : tokens_) {
    MemberOptions options{token.name, token.zone,
                          // With one member there is no other to try, and a person who types a PIN is asked
                          // by the thread that wants it, and takes longer.
                          settings_.leave_hung_calls && tokens_.size() > 1 &&
                              token.source->pin_supply() != keys::PinSupply::prompt,
                          settings_.attempt_timeout, settings_.probe_pauses, settings_.check_interval,
                          settings_.verify ? verifier_ : Verifier()};
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
  try {
    return members_.get().supports(operation, deadline());
  } catch (const Error& error) {
    throw error.on(name());
  }
}

Deadline Group::deadline() const { return std::chrono::steady_clock::now() + settings_.timeout; }

pkcs11::HungCalls Group::hung_calls() const {
  return tokens_.size() == 1 ? tokens_.front().source->operations()->hung_calls()
                             : pkcs11::HungCalls::waited_for;
}

bool Group::use(const Members::Body& body) {
  try {
    return members_.get().use(body, deadline());
  } catch (const Error& error) {
    throw error.on(name());
  }
}

void Group::use_each(const std::function<void(keys::KeySource&)>& call,
                     const std::function<bool(const Error&)>& matters) {
  std::optional<Error> failure;
  for (const auto& member : members_.get().all()) {
    if (!member->in_service()) continue;
    try {
      member->use(call, std::chrono::steady_clock::now() + settings_.attempt_timeout);
    } catch (const Error& error) {
      if (!failure && matters(error)) failure.emplace(error);
    }
  }
  if (failure) throw failure->on(name());
}

std::optional<Error> Group::failure() {
  const auto failure = members_.get().failure();
  return failure ? std::optional(failure->on(name())) : std::nullopt;
}

}  // namespace keystay::ha
