// A group of tokens that hold the same keys, used like one token.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "native/config/group_settings.h"
#include "native/ha/member_token.h"
#include "native/ha/members.h"
#include "native/pkcs11/key_operations.h"
#include "native/pkcs11/per_process.h"

namespace keystay::ha {

// Works with its members in any process: health and threads are a process's own, and made anew after a fork.
// Nothing touches a module before the first operation. Thread-safe.
//
// An operation goes to the member that best_of() chooses. One that fails by what is not the request's fault
// is performed once on each other member in service, within its deadline; see Consequence for what becomes of
// the member. A call that does not return is left on its thread after attempt_timeout.
class Group final : public pkcs11::KeyOperations {
 public:
  Group(std::string name, config::GroupSettings settings, std::vector<MemberToken> tokens, Notice notice,
        Verifier verifier);

  std::size_t perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                      pkcs11::ByteView data, std::span<std::uint8_t> result,
                      pkcs11::Deadline deadline) override;
  // Whether all members in service do; one that cannot be asked has no say.
  [[nodiscard]] bool supports(const pkcs11::Operation& operation) override;
  [[nodiscard]] pkcs11::Deadline deadline() const override;
  [[nodiscard]] pkcs11::HungCalls hung_calls() const override;
  [[nodiscard]] bool on_several_tokens() const override { return tokens_.size() > 1; }
  [[nodiscard]] std::string name() const override { return "group \"" + name_ + "\""; }

  // Members::use, with a deadline of its own.
  bool use(const Members::Body& body);
  // `call` with the source of each member in service, as Member::use; what one fails with is thrown after all
  // were asked, if `matters`.
  void use_each(const std::function<void(keys::KeySource&)>& call,
                const std::function<bool(const pkcs11::Error&)>& matters);

  [[nodiscard]] const std::string& short_name() const noexcept { return name_; }
  [[nodiscard]] const config::GroupSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] const std::vector<MemberToken>& tokens() const noexcept { return tokens_; }
  [[nodiscard]] const Notice& notice() const noexcept { return notice_; }
  [[nodiscard]] GroupStatus status() { return members_.get().status(); }
  [[nodiscard]] std::optional<pkcs11::Error> failure();

 private:
  [[nodiscard]] std::unique_ptr<Members> make_members() const;

  const std::string name_;
  const config::GroupSettings settings_;
  const std::vector<MemberToken> tokens_;
  const Notice notice_;
  const Verifier verifier_;
  pkcs11::PerProcess<Members> members_;
};

}  // namespace keystay::ha
