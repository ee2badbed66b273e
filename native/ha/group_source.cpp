#include "native/ha/group_source.h"

#include <algorithm>
#include <utility>

namespace keystay::ha {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;

// The member whose session a body on this thread has.
thread_local keys::KeySource* reading = nullptr;

class Reading final {
 public:
  explicit Reading(keys::KeySource& member) noexcept : before_(std::exchange(reading, &member)) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { reading = before_; }

 private:
  keys::KeySource* before_;
};

}  // namespace

std::size_t GroupSource::capacity() const noexcept {
  std::size_t sum = 0;
  for (const MemberToken& token : group_->tokens()) sum += token.source->capacity();
  return sum;
}

std::chrono::milliseconds GroupSource::timeout() const noexcept { return group_->settings().timeout; }

keys::PinSupply GroupSource::pin_supply() const noexcept {
  auto supply = keys::PinSupply::none;
  for (const MemberToken& token : group_->tokens()) supply = std::max(supply, token.source->pin_supply());
  return supply;
}

bool GroupSource::wants_pin() {
  bool wanted = false;
  group_->use([&](keys::KeySource& member) {
    wanted = member.wants_pin();
    return true;
  });
  return wanted;
}

void GroupSource::require_repeatable_login() {
  for (const MemberToken& token : group_->tokens()) token.source->require_repeatable_login();
}

void GroupSource::recover() {
  group_->use([](keys::KeySource& member) {
    member.recover();
    return true;
  });
}

pkcs11::TokenInfo GroupSource::info() {
  return {group_->short_name(), "Keystay", "group", {}, CKF_TOKEN_INITIALIZED, CK_EFFECTIVELY_INFINITE};
}

std::shared_ptr<keys::KeySource> GroupSource::without_login() {
  std::shared_ptr<KeySource> source;
  group_->use([&](keys::KeySource& member) {
    source = member.without_login();
    return true;
  });
  return source;
}

std::shared_ptr<keys::KeySource> GroupSource::without_login(pkcs11::TokenIdentity) { return without_login(); }

std::optional<keys::Replication> GroupSource::replication() {
  const config::GroupSettings& settings = group_->settings();
  keys::Replication replication;
  for (const MemberToken& token : group_->tokens())
    replication.replicas.push_back({token.name, token.source});
  if (!settings.wrapping_key.empty())
    replication.wrapping_key = keys::WrappingKey{settings.wrapping_key, settings.wrapping_mechanism};
  replication.create_minimum = settings.create_minimum;
  replication.notice = [group = group_](const std::string& sentence) {
    group->notice()(group->name() + ": " + sentence);
  };
  return replication;
}

void GroupSource::generate_random(std::span<std::uint8_t> random) {
  group_->use([&](keys::KeySource& member) {
    member.generate_random(random);
    return true;
  });
}

void GroupSource::with_session(const std::function<void(Session&)>& body) {
  group_->use([&](keys::KeySource& member) {
    const Reading this_one(member);
    member.with_session(body);
    return true;
  });
}

void GroupSource::search(const std::function<bool(Session&)>& body) {
  static_cast<void>(group_->use([&](keys::KeySource& member) {
    const Reading this_one(member);
    bool found = false;
    member.with_session([&](Session& session) { found = body(session); });
    return found;
  }));
}

void GroupSource::with_rw_session(const std::function<void(Session&)>&) {
  std::string names;
  for (const MemberToken& token : group_->tokens()) names += (names.empty() ? "" : ", ") + token.name;
  throw Error(ErrorClass::client, name() + " has this on one member: name that one, of " + names);
}

void GroupSource::require_login(Session& session) {
  if (reading) reading->require_login(session);
}

void GroupSource::renew_sessions() {
  for (const MemberToken& token : group_->tokens()) token.source->renew_sessions();
}

}  // namespace keystay::ha
