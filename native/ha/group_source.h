// A group as a source of keys.
#pragma once

#include <memory>

#include "native/ha/group.h"
#include "native/keys/key_source.h"

namespace keystay::ha {

// Reads from one member in service, and looks on the others for what that one does not have. What changes
// something changes each member (keys::Replicas).
class GroupSource final : public keys::KeySource {
 public:
  explicit GroupSource(std::shared_ptr<Group> group) : group_(std::move(group)) {}

  [[nodiscard]] Group& group() const noexcept { return *group_; }

  [[nodiscard]] std::string name() const override { return group_->name(); }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> operations() override { return group_; }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> attempts() override { return group_; }
  // Of all members together.
  [[nodiscard]] std::size_t capacity() const noexcept override;
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept override;
  // Of the member that wants most of its user.
  [[nodiscard]] keys::PinSupply pin_supply() const noexcept override;
  [[nodiscard]] std::string pin_label() const override { return group_->short_name(); }
  [[nodiscard]] bool wants_pin() override;
  // Of each member.
  void require_repeatable_login() override;
  [[nodiscard]] std::optional<pkcs11::Error> failure() override { return group_->failure(); }
  void recover() override;
  // The group's name as label, and no serial.
  [[nodiscard]] pkcs11::TokenInfo info() override;
  [[nodiscard]] std::vector<pkcs11::TokenInfo> candidates() override { return {}; }
  [[nodiscard]] std::shared_ptr<KeySource> without_login() override;
  [[nodiscard]] std::shared_ptr<KeySource> without_login(pkcs11::TokenIdentity candidate) override;
  [[nodiscard]] std::optional<keys::Replication> replication() override;
  void generate_random(std::span<std::uint8_t> random) override;
  void with_session(const std::function<void(pkcs11::Session&)>& body) override;
  void search(const std::function<bool(pkcs11::Session&)>& body) override;
  // Throws Error (client): see above.
  void with_rw_session(const std::function<void(pkcs11::Session&)>& body) override;
  void require_login(pkcs11::Session& session) override;
  void renew_sessions() override;

 private:
  std::shared_ptr<Group> group_;
};

}  // namespace keystay::ha
