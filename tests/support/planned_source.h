// A source of keys of a fourth kind: another one, made slow or made to fail by plan. Nobody who holds a
// KeySource is told.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "native/keys/key_source.h"
#include "native/pkcs11/error.h"

namespace keystay::test {

// What happens to the operations and the reading sessions from now on. Thread-safe.
struct Plan {
  std::atomic<std::chrono::milliseconds> delay{std::chrono::milliseconds(0)};
  std::atomic<CK_RV> failure{CKR_OK};
  std::atomic<int> signatures{0};

  void carry_out(const char* function) const {
    std::this_thread::sleep_for(delay.load());
    if (const CK_RV rv = failure.load(); rv != CKR_OK) throw pkcs11::Error(rv, function);
  }
};

class PlannedOperations final : public pkcs11::KeyOperations {
 public:
  PlannedOperations(std::shared_ptr<pkcs11::KeyOperations> inner, std::shared_ptr<Plan> plan)
      : inner_(std::move(inner)), plan_(std::move(plan)) {}

  std::size_t perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                      pkcs11::ByteView data, std::span<std::uint8_t> result,
                      pkcs11::Deadline deadline) override {
    plan_->carry_out("C_Sign");
    if (std::holds_alternative<pkcs11::Sign>(operation)) ++plan_->signatures;
    return inner_->perform(key, operation, data, result, deadline);
  }
  [[nodiscard]] bool supports(const pkcs11::Operation& operation) override {
    return inner_->supports(operation);
  }
  [[nodiscard]] pkcs11::Deadline deadline() const override { return inner_->deadline(); }
  [[nodiscard]] std::string name() const override { return "planned " + inner_->name(); }

 private:
  std::shared_ptr<pkcs11::KeyOperations> inner_;
  std::shared_ptr<Plan> plan_;
};

class PlannedSource final : public keys::KeySource {
 public:
  PlannedSource(std::shared_ptr<KeySource> inner, std::shared_ptr<Plan> plan)
      : inner_(std::move(inner)),
        plan_(std::move(plan)),
        operations_(std::make_shared<PlannedOperations>(inner_->operations(), plan_)) {}

  [[nodiscard]] std::string name() const override { return operations_->name(); }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> operations() override { return operations_; }
  [[nodiscard]] std::shared_ptr<pkcs11::KeyOperations> attempts() override {
    return std::make_shared<PlannedOperations>(inner_->attempts(), plan_);
  }
  [[nodiscard]] std::size_t capacity() const noexcept override { return inner_->capacity(); }
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept override { return inner_->timeout(); }
  [[nodiscard]] keys::PinSupply pin_supply() const noexcept override { return inner_->pin_supply(); }
  [[nodiscard]] std::string pin_label() const override { return inner_->pin_label(); }
  [[nodiscard]] bool wants_pin() override { return inner_->wants_pin(); }
  void require_repeatable_login() override { inner_->require_repeatable_login(); }
  [[nodiscard]] std::optional<pkcs11::Error> failure() override { return inner_->failure(); }
  void recover() override { inner_->recover(); }
  [[nodiscard]] pkcs11::TokenInfo info() override { return inner_->info(); }
  [[nodiscard]] std::vector<pkcs11::TokenInfo> candidates() override { return {}; }
  [[nodiscard]] std::shared_ptr<KeySource> without_login() override { return inner_->without_login(); }
  [[nodiscard]] std::shared_ptr<KeySource> without_login(pkcs11::TokenIdentity candidate) override {
    return inner_->without_login(std::move(candidate));
  }
  void generate_random(std::span<std::uint8_t> random) override { inner_->generate_random(random); }
  void with_session(const std::function<void(pkcs11::Session&)>& body) override {
    plan_->carry_out("C_OpenSession");
    inner_->with_session(body);
  }
  void with_rw_session(const std::function<void(pkcs11::Session&)>& body) override {
    plan_->carry_out("C_OpenSession");
    inner_->with_rw_session(body);
  }
  void require_login(pkcs11::Session& session) override { inner_->require_login(session); }
  void renew_sessions() override { inner_->renew_sessions(); }

 private:
  std::shared_ptr<KeySource> inner_;
  std::shared_ptr<Plan> plan_;
  std::shared_ptr<PlannedOperations> operations_;
};

}  // namespace keystay::test
