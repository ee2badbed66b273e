// The program on a group: four tokens that fail apart from one another, three of which are its members.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "tests/keystore-tools/keystay_program.h"
#include "tests/support/fault_control.h"

namespace keystay::tools {

class GroupToolTest : public KeystayTest {
 protected:
  static constexpr std::size_t kTokens = 4;
  static inline const test::Arguments kP256{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"};
  static inline const test::Arguments kRsa{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"};

  // Writes keystay.toml with hsm-a to hsm-d, and [group.front] of the first three.
  GroupToolTest();

  // The configuration file with these lines behind the sections of the tokens.
  void configure(std::string_view groups) const;
  [[nodiscard]] std::string configured() const;

  // Makes a key by these arguments of openssl genpkey, and brings it to all members. Its CKA_ID is one byte,
  // the length of the alias, which is at most nine.
  void bring_key(const std::string& alias, const test::Arguments& algorithm = kP256) const;

  // pkcs11-tool on one of them, logged in.
  std::string pkcs11_tool_on(char token, const test::Arguments& arguments) const;
  [[nodiscard]] test::FaultControl& faults(char token) {
    return *faults_.at(static_cast<std::size_t>(token - 'a'));
  }

  std::array<std::string, kTokens> serials_;

 private:
  [[nodiscard]] static std::string name(std::size_t token);

  std::array<std::unique_ptr<test::FaultControl>, kTokens> faults_;
};

}  // namespace keystay::tools
