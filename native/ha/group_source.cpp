#include "native/ha/group_source.h"

#include <algorithm>
#include <utility>

#include "native/pkcs11/session.h"

namespace keystay::ha {
namespace {

using keys::KeySource;
using pkcs11::Deadline;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;

// The member whose session a body on this thread has.
thread_local std::shared_ptr<keys::KeySource> reading;

class Reading final {
 public:
  explicit Reading(std::shared_ptr<keys::KeySource> member) noexcept
      : before_(std::exchange(reading, std::move(member))) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { reading = std::move(before_); }

 private:
  std::shared_ptr<keys::KeySource> before_;
};

}  // namespace

std::size_t GroupSource::capacity() const noexcept { return group_->capacity(); }

std::chrono::milliseconds GroupSource::timeout() const noexcept { return group_->makeup()->settings.timeout; }

keys::PinSupply GroupSource::pin_supply() const noexcept {
  auto supply = keys::PinSupply::none;
  for (const auto makeup = group_->makeup(); const MemberToken& token : makeup->tokens)
    supply = std::max(supply, token.source->pin_supply());
  return supply;
}

bool GroupSource::wants_pin() {
  const auto wanted = std::make_shared<bool>(false);
  group_->use([&](Member& member, Deadline deadline) {
    member.use([wanted](KeySource& source) { *wanted = source.wants_pin(); }, deadline);
    return true;
  });
  return *wanted;
}

// A member that is away says nothing of its PIN, and is no reason to refuse anything to the others.
void GroupSource::require_repeatable_login() {
  group_->use_each([](KeySource& source) { source.require_repeatable_login(); },
                   [](const Error& error) { return error.error_class() == ErrorClass::authentication; });
}

void GroupSource::recover() {
  group_->use([](Member& member, Deadline deadline) {
    member.use([](KeySource& source) { source.recover(); }, deadline);
    return true;
  });
}

pkcs11::TokenInfo GroupSource::info() {
  return {group_->short_name(), "Keystay", "group", {}, CKF_TOKEN_INITIALIZED, CK_EFFECTIVELY_INFINITE};
}

std::shared_ptr<keys::KeySource> GroupSource::without_login() {
  std::shared_ptr<KeySource> source;
  group_->use([&](Member& member, Deadline) {
    source = member.source()->without_login();
    return true;
  });
  return source;
}

std::shared_ptr<keys::KeySource> GroupSource::without_login(pkcs11::TokenIdentity) { return without_login(); }

std::optional<keys::Replication> GroupSource::replication() {
  const auto makeup = group_->makeup();
  const config::GroupSettings& settings = makeup->settings;
  keys::Replication replication;
  for (const MemberToken& token : makeup->tokens) replication.replicas.push_back({token.name, token.source});
  if (!settings.wrapping_key.empty())
    replication.wrapping_key = keys::WrappingKey{settings.wrapping_key, settings.wrapping_mechanism};
  replication.create_minimum = settings.create_minimum;
  replication.notice = [group = group_](const std::string& sentence) {
    group->notice()(group->name() + ": " + sentence);
  };
  return replication;
}

void GroupSource::generate_random(std::span<std::uint8_t> random) {
  with_session([&](Session& session) { session.generate_random(random); });
}

void GroupSource::with_session(const std::function<void(Session&)>& body) {
  group_->use([&](Member& member, Deadline deadline) {
    const Reading this_one(member.source());
    member.read(body, deadline);
    return true;
  });
}

void GroupSource::search(const std::function<bool(Session&)>& body) {
  static_cast<void>(group_->use([&](Member& member, Deadline deadline) {
    const Reading this_one(member.source());
    bool found = false;
    member.read([&](Session& session) { found = body(session); }, deadline);
    return found;
  }));
}

void GroupSource::with_rw_session(const std::function<void(Session&)>&) {
  std::string names;
  for (const auto makeup = group_->makeup(); const MemberToken& token : makeup->tokens)
    names += (names.empty() ? "" : ", ") + token.name;
  throw Error(ErrorClass::client, name() + " has this on one member: name that one, of " + names);
}

void GroupSource::require_login(Session& session) {
  if (!reading) return;
  session.on_its_thread([member = reading](Session& own) { member->require_login(own); });
}

void GroupSource::renew_sessions() {
  for (const auto makeup = group_->makeup(); const MemberToken& token : makeup->tokens)
    token.source->renew_sessions();
}

}  // namespace keystay::ha
