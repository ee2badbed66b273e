// A token on another machine as a source of keys: several connections to it, each a Token of its own, since
// login, sessions and handles belong to the connection, and a connection does one call at a time.
#pragma once

#include <memory>
#include <vector>

#include "native/keys/lane_operations.h"
#include "native/keys/token_source.h"

namespace keystay::keys {

class LaneSource final : public KeySource {
 public:
  // Not empty; all lead to the same token, with the same options.
  LaneSource(std::vector<std::shared_ptr<pkcs11::Token>> lanes, PinSupply pin_supply);

  [[nodiscard]] std::string name() const override { return first().name(); }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> operations() override { return operations_; }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> attempts() override { return attempts_; }
  [[nodiscard]] std::size_t capacity() const noexcept override { return lanes_->size(); }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept override { return first().timeout(); }
  [[nodiscard]] PinSupply pin_supply() const noexcept override { return first().pin_supply(); }
  [[nodiscard]] std::string pin_label() const override { return first().pin_label(); }
  [[nodiscard]] bool wants_pin() override { return first().wants_pin(); }

  void require_repeatable_login() override { first_.require_repeatable_login(); }

  // Where all of those that were used are broken.
  [[nodiscard]] std::optional<pkcs11::Error> failure() override { return lanes_->failure(); }
  void recover() override { lanes_->recover(); }

  [[nodiscard]] pkcs11::TokenInfo info() override;
  [[nodiscard]] std::vector<pkcs11::TokenInfo> candidates() override { return first().candidates(); }
  [[nodiscard]] std::shared_ptr<KeySource> without_login() override { return first().without_login(); }
  [[nodiscard]] std::shared_ptr<KeySource> without_login(pkcs11::TokenIdentity candidate) override {
    return first().without_login(std::move(candidate));
  }
  void generate_random(std::span<std::uint8_t> random) override;

  void with_session(const std::function<void(pkcs11::Session&)>& body) override;
  void with_rw_session(const std::function<void(pkcs11::Session&)>& body) override;
  void require_login(pkcs11::Session& session) override { first().require_login(session); }
  void renew_sessions() override { lanes_->renew_sessions(); }

 private:
  [[nodiscard]] const TokenSource& first() const noexcept { return first_; }
  [[nodiscard]] TokenSource& first() noexcept { return first_; }

  std::shared_ptr<Lanes> lanes_;
  TokenSource first_;
  std::shared_ptr<pkcs11::KeyOperations> operations_;
  std::shared_ptr<pkcs11::KeyOperations> attempts_;
};

}  // namespace keystay::keys
