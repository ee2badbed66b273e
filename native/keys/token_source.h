// A lone token as a source of keys.
#pragma once

#include <memory>

#include "native/keys/key_source.h"
#include "native/pkcs11/token.h"

namespace keystay::keys {

class TokenSource final : public KeySource {
 public:
  explicit TokenSource(std::shared_ptr<pkcs11::Token> token, PinSupply pin_supply = PinSupply::configured);

  [[nodiscard]] std::string name() const override { return token_->name(); }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> operations() override { return token_; }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> attempts() override;
  [[nodiscard]] std::size_t capacity() const noexcept override { return token_->options().sessions; }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept override {
    return token_->options().timeout;
  }
  [[nodiscard]] PinSupply pin_supply() const noexcept override;
  [[nodiscard]] std::string pin_label() const override;
  [[nodiscard]] bool wants_pin() override;
  void require_repeatable_login() override { token_->require_repeatable_login(); }
  [[nodiscard]] std::optional<pkcs11::Error> failure() override { return token_->failure(); }
  void recover() override { token_->recover(); }
  [[nodiscard]] pkcs11::TokenInfo info() override { return token_->info(); }
  [[nodiscard]] std::vector<pkcs11::TokenInfo> candidates() override;
  [[nodiscard]] std::shared_ptr<KeySource> without_login() override;
  [[nodiscard]] std::shared_ptr<KeySource> without_login(pkcs11::TokenIdentity candidate) override;
  void generate_random(std::span<std::uint8_t> random) override;
  void with_session(const std::function<void(pkcs11::Session&)>& body) override {
    token_->with_session(body);
  }
  void with_rw_session(const std::function<void(pkcs11::Session&)>& body) override {
    token_->with_rw_session(body);
  }
  void require_login(pkcs11::Session& session) override { token_->require_login(session); }
  void renew_sessions() override { token_->renew_sessions(); }

 private:
  std::shared_ptr<pkcs11::Token> token_;
  PinSupply pin_supply_;
};

}  // namespace keystay::keys
