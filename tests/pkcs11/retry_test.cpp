// Every return value of C_SignInit and C_Sign: what its class promises happens, and nothing is tried more
// than once.
#include "tests/pkcs11/return_values.h"
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

class Retry : public TokenTest, public testing::WithParamInterface<Function> {
 protected:
  // Runs `law` for every return value, with a token that has signed before.
  void for_every_return_value(const std::function<void(const ExpectedReturnValue&, Token&)>& law) {
    for (const ExpectedReturnValue& value : kExpectedReturnValues) {
      SCOPED_TRACE(std::string(test::name(GetParam())) + ": " + describe(value.code));
      faults_.reset();
      const auto token = this->token();
      ASSERT_TRUE(verifies(sign(*token)));
      faults_.reset_calls();
      law(value, *token);
    }
  }

  // How often the call that fails was made.
  std::uint64_t tries() const { return faults_.calls(GetParam()); }
};

TEST_P(Retry, OnceIfARepairCanHelpElseNever) {
  for_every_return_value([&](const ExpectedReturnValue& value, Token& token) {
    faults_.fail(GetParam(), value.code);
    const std::optional<Error> error = error_of([&] { EXPECT_TRUE(verifies(sign(token))); });
    switch (value.error_class) {
      case session_lost:
      case dirty_session:
        EXPECT_FALSE(error) << error->what();
        EXPECT_EQ(tries(), 2u);
        break;
      case server:  // a token that was repaired a moment ago is not torn down again
        EXPECT_LE(tries(), 2u);
        EXPECT_EQ(error.has_value(), tries() == 1);
        break;
      case client:
      case busy:
      case authentication:
      case host:
        EXPECT_TRUE(error);
        EXPECT_EQ(tries(), 1u);
        EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
        EXPECT_EQ(faults_.calls(Function::C_Initialize), 0u);
        break;
    }
  });
}

TEST_P(Retry, NotTwice) {
  for_every_return_value([&](const ExpectedReturnValue& value, Token& token) {
    faults_.fail(GetParam(), value.code, kEveryCall);
    EXPECT_TRUE(error_of([&] { sign(token); }));
    EXPECT_LE(tries(), 2u);
  });
}

TEST_P(Retry, EndsWithTheCodeItsClassAndTheAliasAndToken) {
  for_every_return_value([&](const ExpectedReturnValue& value, Token& token) {
    faults_.fail(GetParam(), value.code, kEveryCall);
    const std::optional<Error> error = error_of([&] { sign(token); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), value.code);
    EXPECT_EQ(error->error_class(), value.error_class);
    EXPECT_THAT(error->what(), testing::HasSubstr("alias \"httpd\" on token \"web\""));
  });
}

TEST_P(Retry, TokenSignsAgainAfterwards) {
  for_every_return_value([&](const ExpectedReturnValue& value, Token& token) {
    faults_.fail(GetParam(), value.code);
    (void)error_of([&] { sign(token); });
    EXPECT_TRUE(verifies(sign(token)));
  });
}

INSTANTIATE_TEST_SUITE_P(OfSigning, Retry, testing::Values(Function::C_SignInit, Function::C_Sign),
                         [](const auto& test) { return std::string(test::name(test.param)); });

}  // namespace
}  // namespace keystay::pkcs11
