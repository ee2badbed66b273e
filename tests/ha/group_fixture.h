// What the tests of native/ha start from: three tokens that fail apart from one another, with one key on
// each, and a group of them.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/ha/key_sources.h"
#include "native/keys/key_store.h"
#include "native/pkcs11/error.h"
#include "native/x509/openssl_pkix.h"
#include "native/x509/openssl_types.h"
#include "tests/support/fault_control.h"
#include "tests/support/softhsm_token.h"

namespace keystay::ha {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using test::FaultControl;
using test::Function;
using test::kEveryCall;

// Of an EC key: what SoftwareKey::private_half wants.
[[nodiscard]] Bytes private_number(const EVP_PKEY* key);

[[nodiscard]] std::optional<Error> error_of(const std::function<void()>& body);

class GroupTest : public testing::Test {
 protected:
  static constexpr std::size_t kMembers = 3;

  // Makes the tokens, and on each the same P-256 key "httpd".
  GroupTest();

  // Reads keystay.toml with [group.front] of all three and these lines; "min-active = 2\n" for instance.
  void use_group(const std::string& lines = "");
  // The same for what stands behind `members =`, lines included.
  void use_members(const std::string& members);
  // As use_members(), from a file that the group follows.
  void use_file(const std::string& members);
  // Replaces that file as a whole, by what use_file() would write.
  void change_file(const std::string& members);
  [[nodiscard]] std::filesystem::path file() const { return hsm_.directory().path() / "keystay.toml"; }
  // With these lines in the section of one token.
  void set_lines(std::size_t member, std::string lines) { lines_.at(member) = std::move(lines); }
  // The section of another token: for the next use_members().
  void add_token_section(const std::string& section) { more_sections_ += section; }

  [[nodiscard]] FaultControl& faults(std::size_t member) { return *faults_.at(member); }
  [[nodiscard]] static std::string name(std::size_t member);
  [[nodiscard]] std::shared_ptr<keys::KeySource> group() { return tokens_->source("front"); }
  [[nodiscard]] keys::KeyStore store_of(std::size_t member) { return store_of(name(member)); }
  [[nodiscard]] keys::KeyStore store_of(const std::string& token);

  void import_key_into(std::size_t member) { import_key_into(name(member)); }
  void import_key_into(const std::string& token);

  // "httpd" of the group; reads it from one member.
  [[nodiscard]] keys::PrivateKey key();
  // ECDSA with it, verified by libcrypto. Throws Error.
  [[nodiscard]] bool signs(const keys::PrivateKey& key) const;
  // Signs on four threads as long as `body` runs. Returns how many signatures failed, or were wrong, and
  // prints how many were made.
  [[nodiscard]] std::size_t failures_while(const keys::PrivateKey& key, const std::function<void()>& body);

  [[nodiscard]] MemberStatus status(std::size_t member);
  [[nodiscard]] std::uint64_t signatures(std::size_t member) {
    return faults(member).calls(Function::C_Sign);
  }
  // Of the group, on this member; without the signatures by which it has proved its keys.
  [[nodiscard]] std::uint64_t operations(std::size_t member) {
    return status(member).succeeded - succeeded_before_.at(member);
  }
  void reset_counts();
  [[nodiscard]] std::vector<std::string> notices();
  // Whether it comes true in time.
  [[nodiscard]] static bool wait_for(const std::function<bool()>& condition,
                                     std::chrono::seconds limit = std::chrono::seconds(20));
  [[nodiscard]] bool wait_for_service(std::size_t member, Service service);

  test::SoftHsmToken hsm_{"hsm-a"};
  std::array<std::unique_ptr<FaultControl>, kMembers> faults_;
  std::array<std::string, kMembers> lines_;
  x509::EvpPkey key_;
  x509::OpenSslPkix pkix_;
  struct Notices {
    std::mutex mutex;
    std::vector<std::string> sentences;  // under the mutex
  };
  std::shared_ptr<Notices> notices_ = std::make_shared<Notices>();  // a probe that hangs may outlive the test
  std::unique_ptr<keys::Tokens> tokens_;

 private:
  [[nodiscard]] std::string token_sections() const;
  [[nodiscard]] std::string text_of(const std::string& members) const;
  [[nodiscard]] GroupServices services() const;

  std::string more_sections_;
  std::array<std::uint64_t, kMembers> succeeded_before_{};
};

}  // namespace keystay::ha
