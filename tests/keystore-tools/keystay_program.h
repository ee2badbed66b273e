// The program under test on a token of its own, and what an independent witness sees on that token.
#pragma once

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/test_ca.h"

namespace keystay::tools {

// The path of bin/keystay.
[[nodiscard]] std::string keystay_program();

class KeystayTest : public testing::Test {
 protected:
  explicit KeystayTest(test::SoftHsmOptions options = {}) : token_("web", options) {}

  // Runs it in a session without a terminal, with the token's configuration.
  [[nodiscard]] test::Outcome keystay(const test::Arguments& arguments, test::RunOptions options = {}) const;
  // Likewise; the test fails unless it is done. Returns the standard output.
  std::string done(const test::Arguments& arguments, test::RunOptions options = {}) const;
  // Likewise; the test fails unless it ends with `code`, exactly one message that matches, nothing on the
  // standard output, no PIN anywhere, and the token as it was.
  void refused(int code, const testing::Matcher<std::string>& message, const test::Arguments& arguments,
               test::RunOptions options = {}) const;

  // Makes a key by the program: EC P-256 with a self-signed certificate for CN=localhost.
  void make_alias(const std::string& alias) const;
  // A CA's reply for it.
  [[nodiscard]] std::string reply(const std::string& alias, const test::LeafOptions& options = {}) const;
  std::string write(const std::string& name, const std::string& content) const;

  // What pkcs11-tool lists, one element for each object, sorted.
  [[nodiscard]] std::vector<std::string> objects() const;

  test::SoftHsmToken token_;
  test::TestCa ca_;
  std::string configuration_ = token_.write_configuration();
};

}  // namespace keystay::tools
