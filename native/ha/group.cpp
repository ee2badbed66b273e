#include "native/ha/group.h"

#include <algorithm>
#include <utility>

namespace keystay::ha {

using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;

Group::Group(std::string name, GroupMakeup makeup, std::unique_ptr<FollowedFile> file, Notice notice,
             Verifier verifier)
    : name_(std::move(name)),
      file_(std::move(file)),
      notice_(std::move(notice)),
      verifier_(std::move(verifier)),
      makeup_(std::make_shared<const GroupMakeup>(std::move(makeup))),
      members_([this] { return std::make_unique<Members>(*this, *this->makeup()); }) {
  remember(*makeup_);
}

void Group::remember(const GroupMakeup& makeup) {
  const bool is_lone = makeup.tokens.size() == 1;
  timeout_ = makeup.settings.timeout;
  members_count_ = makeup.tokens.size();
  std::size_t capacity = 0;
  for (const MemberToken& token : makeup.tokens) capacity += token.source->capacity();
  capacity_ = capacity;
  hung_calls_ =
      is_lone ? makeup.tokens.front().source->operations()->hung_calls() : pkcs11::HungCalls::waited_for;
}

std::shared_ptr<const GroupMakeup> Group::makeup() const {
  const pkcs11::ForkLock lock;
  return makeup_;
}

std::shared_ptr<const GroupMakeup> Group::changed_makeup(FollowedFile::Patience patience) {
  if (!file_) return nullptr;
  auto changed = file_->look(*makeup(), patience);
  if (!changed) return nullptr;
  auto now = std::make_shared<const GroupMakeup>(*std::move(changed));
  remember(*now);
  auto before = now;  // ends behind the lock
  const pkcs11::ForkLock lock;
  std::swap(makeup_, before);
  return now;
}

MemberOptions Group::member_options(const GroupMakeup& makeup, const MemberToken& token) const {
  const config::GroupSettings& settings = makeup.settings;
  // With one member there is no other to try, and a person who types a PIN is asked by the thread that wants
  // it, and takes longer.
  const bool leaves_calls = settings.leave_hung_calls && makeup.tokens.size() > 1 &&
                            token.source->pin_supply() != keys::PinSupply::prompt;
  return {token.name,
          token.zone,
          leaves_calls,
          settings.attempt_timeout,
          settings.probe_pauses,
          settings.check_interval,
          settings.verify ? verifier_ : Verifier()};
}

// A probe that hangs may outlive the group.
Notice Group::member_notice() const {
  return [group = name(), notice = notice_](const std::string& sentence) {
    if (notice) notice(group + ": " + sentence);
  };
}

std::vector<pkcs11::Operation> Group::operations_in_use() const {
  const pkcs11::ForkLock lock;
  return in_use_;
}

void Group::note_in_use(const pkcs11::Operation& operation) {
  const auto is_like = [&](const pkcs11::Operation& other) {
    return pkcs11::type(other) == pkcs11::type(operation) &&
           pkcs11::permission(other).flag == pkcs11::permission(operation).flag;
  };
  const pkcs11::ForkLock lock;
  if (std::ranges::none_of(in_use_, is_like)) in_use_.push_back(operation);
}

std::size_t Group::perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                           pkcs11::ByteView data, std::span<std::uint8_t> result, Deadline deadline) {
  // One that was loaded while the group was of one member.
  if (key.proof() == pkcs11::Proof::spared && on_several_tokens()) [[unlikely]]
    return perform(key.with_proof(), operation, data, result, deadline);
  try {
    return members_.get().perform({key, operation, data, result}, deadline);
  } catch (const Error& error) {
    throw error.on(key.name() + " on " + name());
  }
}

bool Group::supports(const pkcs11::Operation& operation) {
  try {
    const bool does = members_.get().supports(operation, deadline());
    if (does && file_) note_in_use(operation);
    return does;
  } catch (const Error& error) {
    throw error.on(name());
  }
}

Deadline Group::deadline() const { return std::chrono::steady_clock::now() + timeout_.load(); }

pkcs11::HungCalls Group::hung_calls() const { return hung_calls_; }

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
  const auto limit = makeup()->settings.attempt_timeout;
  for (const auto& member : members_.get().all()) {
    if (!member->in_service()) continue;
    try {
      member->use(call, std::chrono::steady_clock::now() + limit);
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
