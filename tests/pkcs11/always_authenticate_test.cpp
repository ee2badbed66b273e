// Keys with CKA_ALWAYS_AUTHENTICATE (PKCS #11 v3.0, section 4.9): the token wants the PIN for each operation.
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AlwaysAuthenticate : public TokenTest, public testing::WithParamInterface<KeyCopies> {
 protected:
  AlwaysAuthenticate() {
    hsm_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "guarded", "--id", "21", "--always-auth"});
  }

  [[nodiscard]] TokenOptions options() const {
    TokenOptions options = TokenTest::options();
    options.key_copies = GetParam();
    return options;
  }

  KeyReference guarded_ = ec_reference("guarded", {0x21});
};

TEST_P(AlwaysAuthenticate, EachSignatureHasALoginOfItsOwn) {
  const auto token = this->token(options());
  EXPECT_EQ(sign(*token, guarded_).size(), 64u);
  faults_.reset_calls();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sign(*token, guarded_).size(), 64u);
  EXPECT_EQ(faults_.calls(Function::C_SignInit), 5u);
  EXPECT_EQ(faults_.calls(Function::C_Login), 5u);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 5u);
  EXPECT_EQ(faults_.calls(), 15u);
}

TEST_P(AlwaysAuthenticate, OtherKeysOfTheSessionCostNoLogin) {
  const auto token = this->token(options());
  EXPECT_EQ(sign(*token, guarded_).size(), 64u);
  EXPECT_TRUE(verifies(sign(*token)));
  faults_.reset_calls();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(), 2u);
}

TEST_P(AlwaysAuthenticate, ALostSessionIsRepaired) {
  const auto token = this->token(options());
  EXPECT_EQ(sign(*token, guarded_).size(), 64u);
  faults_.fail(Function::C_SignInit, CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(sign(*token, guarded_).size(), 64u);
}

TEST_P(AlwaysAuthenticate, APinThatIsRefusedIsNotTriedAgain) {
  const auto token = this->token(options());
  EXPECT_EQ(sign(*token, guarded_).size(), 64u);
  faults_.fail(Function::C_Login, CKR_PIN_INCORRECT);
  const auto refused = error_of([&] { (void)sign(*token, guarded_); });
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error_class(), ErrorClass::authentication);
  EXPECT_THAT(refused->what(), AllOf(HasSubstr("C_Login"), HasSubstr("guarded"), Not(HasSubstr(hsm_.pin()))));
  faults_.reset_calls();
  EXPECT_TRUE(error_of([&] { (void)sign(*token, guarded_); }));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
  EXPECT_TRUE(verifies(sign(*token))) << "the session's own login is not over";
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutCopies, AlwaysAuthenticate,
                         testing::Values(KeyCopies::automatic, KeyCopies::never), [](const auto& copies) {
                           return copies.param == KeyCopies::never ? "never" : "automatic";
                         });

}  // namespace
}  // namespace keystay::pkcs11
