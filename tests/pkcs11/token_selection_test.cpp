// A token is found by label or serial, never by the number of its slot; ambiguity is an error.
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TokenSelection : public TokenTest {
 protected:
  std::shared_ptr<Token> token_named(const std::string& label, const std::string& serial) const {
    TokenOptions options = this->options();
    options.identity = {.label = label, .serial = serial};
    return token(options);
  }
};

TEST_F(TokenSelection, ByLabel) {
  hsm_.add_token("other");
  EXPECT_EQ(token_named("web", "")->info().serial, hsm_.serial());
}

TEST_F(TokenSelection, BySerialAmongEqualLabels) {
  const std::string twin = hsm_.add_token("web");
  EXPECT_EQ(token_named("", hsm_.serial())->info().serial, hsm_.serial());
  EXPECT_EQ(token_named("web", twin)->info().serial, twin);
}

TEST_F(TokenSelection, TwoTokensThatMatchAreAnErrorThatNamesThemAndHowToChoose) {
  const std::string other = hsm_.add_token("other");
  const std::optional<Error> any = error_of([&] { (void)token_named("", "")->info(); });
  ASSERT_TRUE(any);
  EXPECT_THAT(any->what(), AllOf(HasSubstr("\"web\" (serial " + hsm_.serial() + ")"),
                                 HasSubstr("\"other\" (serial " + other + ")"), HasSubstr("token=LABEL"),
                                 Not(HasSubstr("serial=NUMBER"))));
}

TEST_F(TokenSelection, TwoTokensOfOneLabelAreToldApartBySerial) {
  const std::string twin = hsm_.add_token("web");
  const std::optional<Error> error = error_of([&] { (void)token_named("web", "")->info(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("(serial " + hsm_.serial() + ")"),
                                   HasSubstr("(serial " + twin + ")"), HasSubstr("serial=NUMBER")));
  EXPECT_EQ(faults_.calls(Function::C_OpenSession), 0u);
}

TEST_F(TokenSelection, AbsentTokenIsNamedAlongWithThoseThatAreThere) {
  hsm_.add_token("other");
  const std::optional<Error> error = error_of([&] { (void)token_named("webb", "")->info(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::server) << "it may come back";
  EXPECT_THAT(error->what(), HasSubstr("\"webb\""));
  EXPECT_THAT(error->what(), HasSubstr("\"web\""));
  EXPECT_THAT(error->what(), HasSubstr("\"other\""));
}

TEST_F(TokenSelection, SerialOfAnotherTokenDoesNotMatchTheLabel) {
  const std::string other = hsm_.add_token("other");
  EXPECT_TRUE(error_of([&] { (void)token_named("web", other)->info(); }));
}

TEST_F(TokenSelection, TokenThatIsNotInitializedIsNoToken) {
  // SoftHSM always has one more slot, with a token that nobody has initialised.
  EXPECT_EQ(token_named("", "")->info().serial, hsm_.serial());
}

TEST_F(TokenSelection, NoTokenAtAllIsSaidSo) {
  faults_.remove_token();
  const std::optional<Error> error = error_of([&] { (void)token()->info(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::server);
  EXPECT_THAT(error->what(), HasSubstr("no token at all"));
}

TEST_F(TokenSelection, InfoIsWithoutPadding) {
  const TokenInfo info = token()->info();
  EXPECT_EQ(info.label, "web");
  EXPECT_EQ(info.manufacturer, "SoftHSM project");
  EXPECT_EQ(info.model, "SoftHSM v2");
  EXPECT_NE(info.flags & CKF_LOGIN_REQUIRED, 0u);
}

}  // namespace
}  // namespace keystay::pkcs11
