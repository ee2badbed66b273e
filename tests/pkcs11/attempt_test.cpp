// One attempt: what fails is told at once and with its class, nothing is repaired, and recover() repairs it.
#include "tests/pkcs11/return_values.h"
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

class Attempt : public TokenTest {
 protected:
  Bytes attempt() {
    Bytes signature(64);
    signature.resize(token_->attempts().perform(key_, Sign{Ecdsa{}}, kDigest, signature, token_->deadline()));
    return signature;
  }

  std::shared_ptr<Token> token_ = token();
};

TEST_F(Attempt, SignsAsTheTokenDoesAndCostsNoCallMore) {
  EXPECT_TRUE(verifies(attempt())) << "the first use opens the token";
  faults_.reset_calls();
  EXPECT_TRUE(verifies(attempt()));
  EXPECT_EQ(faults_.calls(Function::C_SignInit), 1u);
  EXPECT_EQ(faults_.calls(), 2u);
  EXPECT_FALSE(token_->failure());
}

TEST_F(Attempt, IsOneWhateverItFailsWith) {
  for (const ExpectedReturnValue& value : kExpectedReturnValues) {
    SCOPED_TRACE(describe(value.code));
    faults_.reset();
    ASSERT_TRUE(verifies(sign(*token_)));
    faults_.reset_calls();
    faults_.fail(Function::C_Sign, value.code);
    const std::optional<Error> error = error_of([&] { (void)attempt(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), value.code);
    EXPECT_EQ(error->error_class(), value.error_class);
    EXPECT_EQ(faults_.calls(Function::C_Sign), 1u);
    EXPECT_EQ(faults_.calls(Function::C_Login) + faults_.calls(Function::C_Initialize), 0u);
    const bool is_broken =
        value.error_class == ErrorClass::session_lost || value.error_class == ErrorClass::server;
    EXPECT_EQ(token_->failure().has_value(), is_broken);
    token_->recover();
    EXPECT_FALSE(token_->failure());
    EXPECT_TRUE(verifies(attempt()));
  }
}

TEST_F(Attempt, AtATokenThatIsAwayAsksItOnceAndRecoverFindsItAgain) {
  ASSERT_TRUE(verifies(sign(*token_)));
  faults_.remove_token();
  ASSERT_TRUE(error_of([&] { sign(*token_); })) << "which closes the token";
  faults_.reset_calls();
  for (int i = 0; i < 5; ++i) {
    const std::optional<Error> error = error_of([&] { (void)attempt(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error_class(), ErrorClass::server) << error->what();
  }
  EXPECT_EQ(faults_.calls(), 0u) << "why it is down is known";
  ASSERT_TRUE(token_->failure());
  EXPECT_THAT(token_->failure()->what(), testing::HasSubstr("token \"web\""));
  faults_.return_token();
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (error_of([&] { token_->recover(); }) && std::chrono::steady_clock::now() < limit) {
  }
  EXPECT_FALSE(token_->failure());
  EXPECT_TRUE(verifies(attempt()));
}

// All sessions are gone, and with them the login: a new session sees no private key.
TEST_F(Attempt, AKeyThatOnlyALoginWouldShowIsNotCalledAbsent) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "other", "--id", "05"});
  ASSERT_TRUE(verifies(attempt()));
  faults_.drop_sessions();
  ASSERT_TRUE(error_of([&] { (void)attempt(); })) << "which closes the session that it had";
  Bytes signature(64);
  const std::optional<Error> error = error_of([&] {
    token_->attempts().perform(ec_reference("other", {0x05}), Sign{Ecdsa{}}, kDigest, signature,
                               token_->deadline());
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::session_lost) << error->what();
  token_->recover();
  token_->attempts().perform(ec_reference("other", {0x05}), Sign{Ecdsa{}}, kDigest, signature,
                             token_->deadline());
}

TEST_F(Attempt, LeavesTheRepairOfTheTokensOwnOperationsAsItIs) {
  ASSERT_TRUE(verifies(attempt()));
  faults_.drop_sessions();
  ASSERT_TRUE(error_of([&] { (void)attempt(); }));
  EXPECT_TRUE(token_->failure());
  EXPECT_TRUE(verifies(sign(*token_)));
  EXPECT_FALSE(token_->failure());
}

}  // namespace
}  // namespace keystay::pkcs11
