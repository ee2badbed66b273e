// What the tests of native/pkcs11 start from: SoftHSM behind the fault module, one EC and one RSA key on it,
// and a token that has not been used.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/error.h"
#include "native/pkcs11/module.h"
#include "native/pkcs11/token.h"
#include "tests/support/process.h"
#include "tests/support/signature_check.h"
#include "tests/support/softhsm_token.h"

namespace keystay::pkcs11 {

using test::FaultControl;
using test::Front;
using test::Function;
using test::kEveryCall;
using test::SoftHsmToken;

// The error that `body` ends with; nothing if it ends well.
[[nodiscard]] std::optional<Error> error_of(const std::function<void()>& body);

using test::true_in_child;

[[nodiscard]] KeyReference ec_reference(const std::string& label, Bytes id);

class TokenTest : public testing::Test {
 protected:
  // Any 32 bytes will do as a SHA-256 digest.
  static constexpr std::array<std::uint8_t, 32> kDigest{0x4b, 0x65, 0x79, 0x73, 0x74, 0x61, 0x79};

  TokenTest();

  // The options that keystay.toml's [token.web] would give.
  [[nodiscard]] TokenOptions options() const;
  [[nodiscard]] std::shared_ptr<Token> token(TokenOptions options) const;
  [[nodiscard]] std::shared_ptr<Token> token() const { return token(options()); }

  // ECDSA over kDigest with "httpd"; the signature is r || s.
  static Bytes sign(Token& token, const KeyReference& key);
  Bytes sign(Token& token) const { return sign(token, key_); }
  [[nodiscard]] bool verifies(const Bytes& signature) const;

  SoftHsmToken hsm_{"web", {.front = Front::fault_module}};
  FaultControl& faults_ = hsm_.faults();
  std::shared_ptr<Module> module_;
  KeyReference key_;
  test::Openssl<EVP_PKEY> public_key_;
};

}  // namespace keystay::pkcs11
