// A token with an RSA and an EC key, and the provider on it.
#pragma once

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/keys/tokens.h"
#include "tests/provider/library_context.h"
#include "tests/support/softhsm_token.h"

namespace keystay::test {

// One token for all tests of a suite, with the keys "rsa" (RSA-2048) and "ec" (P-256), behind the fault
// module. Every test ends with an empty error queue, or takes the errors that it expects.
class ProviderTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  ProviderTest();  // not SetUp: the members of derived tests load keys
  void TearDown() override;

  [[nodiscard]] static SoftHsmToken& token() { return *token_; }
  [[nodiscard]] static FaultControl& faults() { return token_->faults(); }

  // The PEM reference of the key, with its public key in it; and one without, as pkcs11-provider writes it.
  [[nodiscard]] static std::string reference(const std::string& label);
  [[nodiscard]] static std::string bare_reference(const std::string& label);
  [[nodiscard]] static pkcs11::Uri uri_of(const std::string& label);

  // The public half by another hand: pkcs11-tool's, in the default library context.
  [[nodiscard]] static EvpPkey public_key(const std::string& label);

  // In a forked child that ends by exit().
  static void leave_token_to_parent() {
    static const auto* kept = token_.release();  // reachable for a leak checker
    static_cast<void>(kept);
  }

  // Writes keystay.toml, which KEYSTAY_CONF names.
  static void configure(std::string_view more = "");

 private:
  static std::unique_ptr<SoftHsmToken> token_;
};

[[nodiscard]] pkcs11::Bytes bytes_of(std::string_view text);

}  // namespace keystay::test
