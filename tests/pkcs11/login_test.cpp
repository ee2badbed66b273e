// Login belongs to the token: once per process, never undone; a refused PIN is never tried again.
#include <thread>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

class Login : public TokenTest {
 protected:
  TokenOptions with_pin(const std::string& pin) const {
    TokenOptions options = this->options();
    options.pin = [pin] { return Pin(pin); };
    return options;
  }
};

TEST_F(Login, SixteenThreadsLogInOnce) {
  const auto token = this->token();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(token->info().label, "web"); });
  }
  threads.clear();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Login, IsNeverUndone) {
  {
    const auto token = this->token();
    ASSERT_TRUE(verifies(sign(*token)));
  }
  EXPECT_EQ(faults_.calls(Function::C_Logout), 0u);
}

TEST_F(Login, RefusedPinIsNotTriedAgain) {
  const auto token = this->token(with_pin("999999"));
  for (int i = 0; i < 5; ++i) {
    const std::optional<Error> error = error_of([&] { sign(*token); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error_class(), ErrorClass::authentication) << error->what();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // past any pause between attempts
  }
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Login, RefusedPinIsNotTriedAgainByManyThreads) {
  const auto token = this->token(with_pin("999999"));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const std::optional<Error> error = error_of([&] { sign(*token); });
      EXPECT_TRUE(error && error->error_class() == ErrorClass::authentication);
    });
  }
  threads.clear();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

// A process has several objects of one token where one alias names its serial and another does not.
TEST_F(Login, RefusedPinIsNotTriedAgainByAnotherObjectOfTheToken) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      TokenOptions options = with_pin("999999");
      options.identity = {.label = "web", .serial = i % 2 == 0 ? "" : hsm_.serial()};
      const std::optional<Error> error = error_of([&] { sign(*token(options)); });
      EXPECT_TRUE(error && error->error_class() == ErrorClass::authentication);
    });
  }
  threads.clear();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_TRUE(verifies(sign(*token()))) << "another PIN is tried";
}

TEST_F(Login, CorrectedPinIsTriedAtOnce) {
  std::string pin = "999999";
  TokenOptions options = this->options();
  options.pin = [&] { return Pin(pin); };
  const auto token = this->token(options);
  ASSERT_TRUE(error_of([&] { sign(*token); }));
  pin = hsm_.pin();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 2u);
}

TEST_F(Login, IsNotTriedWhenTheNextRefusalLocks) {
  faults_.set_token_flags(CKF_USER_PIN_FINAL_TRY);
  const std::optional<Error> error = error_of([&] { sign(*token()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::authentication);
  EXPECT_THAT(error->what(), HasSubstr("locks the token"));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
}

TEST_F(Login, IsNotTriedWithALockedPin) {
  faults_.set_token_flags(CKF_USER_PIN_LOCKED);
  const std::optional<Error> error = error_of([&] { sign(*token()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::authentication);
  EXPECT_THAT(error->what(), HasSubstr("security officer"));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
}

TEST_F(Login, IsNotRetriedForAnyCodeThatRefusesThePin) {
  for (const CK_RV code :
       {CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE, CKR_PIN_EXPIRED, CKR_PIN_LOCKED}) {
    faults_.reset();
    faults_.fail(Function::C_Login, code, kEveryCall);
    // Of a module of its own, which remembers no refusal.
    const auto token = std::make_shared<Token>(std::make_shared<Module>(hsm_.module()), options());
    for (int i = 0; i < 2; ++i) {
      const std::optional<Error> error = error_of([&] { sign(*token); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->error_class(), ErrorClass::authentication) << describe(code);
    }
    EXPECT_EQ(faults_.calls(Function::C_Login), 1u) << describe(code);
  }
}

// The security officer is logged in in this process, by other code, and will log out: nothing is said of the
// PIN.
TEST_F(Login, IsTriedAgainOnceNobodyElseIsLoggedIn) {
  faults_.fail(Function::C_Login, CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
  const auto token = this->token();
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::authentication) << error->what();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 2u);
}

// SoftHSM says so to a process that reads the token's file while another one writes it.
TEST_F(Login, IsTriedAgainWhereTheTokenContradictsItself) {
  faults_.fail(Function::C_Login, CKR_USER_PIN_NOT_INITIALIZED);
  const auto token = this->token();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 2u);
}

TEST_F(Login, OfSomebodyElseInTheProcessIsUsed) {
  const auto first = token();
  ASSERT_TRUE(verifies(sign(*first)));
  const auto second = token(with_pin("999999"));
  EXPECT_TRUE(verifies(sign(*second)));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Login, RaceWithSomebodyElseIsWon) {
  // Not logged in when asked, logged in when tried.
  faults_.fail(Function::C_Login, CKR_USER_ALREADY_LOGGED_IN);
  const auto token = this->token();
  const std::optional<Error> error = error_of([&] { (void)token->info(); });
  EXPECT_FALSE(error) << error->what();
}

TEST_F(Login, WithoutAPinReaderIsNotTried) {
  TokenOptions options = this->options();
  options.pin = nullptr;
  const auto token = this->token(options);
  EXPECT_EQ(token->info().label, "web");
  EXPECT_TRUE(error_of([&] { sign(*token); })) << "the private key is not visible without a login";
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
}

TEST_F(Login, ReadsThePinOnlyWhenItLogsIn) {
  int reads = 0;
  TokenOptions options = this->options();
  options.pin = [&] {
    ++reads;
    return Pin(hsm_.pin());
  };
  const auto token = this->token(options);
  EXPECT_EQ(reads, 0);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(reads, 1);
}

TEST_F(Login, FailureOfThePinReaderIsTheErrorAndNoLoginIsTried) {
  TokenOptions options = this->options();
  options.pin = []() -> Pin { throw Error(ErrorClass::authentication, "cannot read /etc/keystay/web.pin"); };
  const std::optional<Error> error = error_of([&] { sign(*token(options)); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("/etc/keystay/web.pin"));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
}

// What an editor or a shell makes of a PIN: the token would count it as a wrong one.
TEST_F(Login, IsNotTriedWithWhatCannotBeAPin) {
  const std::string pin = hsm_.pin();
  using namespace std::string_literals;
  for (const std::string& text :
       {"\xEF\xBB\xBF"s + pin, "\xFF\xFE"s + pin, "\xFE\xFF"s + pin, pin + "\n", pin + "\r", "\t"s + pin,
        pin.substr(0, 1) + "\0"s, pin + "\x7F", ""s, pin + " ", " "s + pin, pin + "\u00A0", pin + "\u0085",
        "\u200B"s + pin, pin + "\xE4", pin + "\xED\xA0\x80", pin + "\uFFFD"}) {
    const std::optional<Error> error = error_of([&] { sign(*token(with_pin(text))); });
    ASSERT_TRUE(error) << testing::PrintToString(text);
    EXPECT_EQ(error->error_class(), ErrorClass::authentication);
    EXPECT_THAT(error->what(), HasSubstr("C_Login is not tried: the PIN "));
  }
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
  EXPECT_TRUE(verifies(sign(*token())));
}

// A process that is logged in does not read its PIN again, and the next one does.
TEST_F(Login, ThatCannotBeRepeatedIsToldWithoutAnAttempt) {
  const auto logged_in = token();  // as long as it has a session
  ASSERT_TRUE(verifies(sign(*logged_in)));
  ASSERT_EQ(faults_.calls(Function::C_Login), 1u);
  const auto why = [&](const TokenOptions& options) {
    const std::optional<Error> error = error_of([&] { token(options)->require_repeatable_login(); });
    if (error) {
      EXPECT_EQ(error->error_class(), ErrorClass::authentication);
    }
    return error ? std::string(error->what()) : std::string();
  };
  EXPECT_EQ(why(options()), "");
  EXPECT_EQ(why(with_pin("999999")), "") << "what it is worth, only an attempt tells";
  for (const std::string& text : {"\xEF\xBB\xBF" + hsm_.pin(), hsm_.pin() + " ", std::string()})
    EXPECT_THAT(why(with_pin(text)), testing::AllOf(HasSubstr("the PIN "), HasSubstr("\"web\"")));
  TokenOptions unreadable = options();
  unreadable.pin = []() -> Pin { throw Error(ErrorClass::authentication, "cannot read /etc/web.pin"); };
  EXPECT_THAT(why(unreadable), HasSubstr("/etc/web.pin"));
  TokenOptions without = options();
  without.pin = nullptr;
  EXPECT_THAT(why(without), HasSubstr("no PIN is configured"));
  faults_.set_token_flags(CKF_PROTECTED_AUTHENTICATION_PATH);
  EXPECT_EQ(why(unreadable), "") << "a person types it at the token";
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(Login, ThatNobodyMadeNeedNotBeRepeated) {
  TokenOptions without = options();
  without.pin = nullptr;
  EXPECT_FALSE(error_of([&] { token(without)->require_repeatable_login(); }));
  EXPECT_EQ(faults_.calls(Function::C_Login), 0u);
}

TEST_F(Login, NamesTheOriginOfARefusedPin) {
  TokenOptions options = this->options();
  options.pin = [] { return Pin("999999", "file:/etc/keystay/web.pin"); };
  const auto token = this->token(options);
  for (const char* message : {"CKR_PIN_INCORRECT (0xa0) for ", "is not tried again: the token refused "}) {
    const std::optional<Error> error = error_of([&] { sign(*token); });
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(),
                testing::AllOf(HasSubstr(message), HasSubstr("the PIN from file:/etc/keystay/web.pin")));
  }
}

// Whatever fails, the message does not hold the PIN.
TEST_F(Login, PinIsInNoMessage) {
  const std::string pin = "s3cret-PIN-of-the-test";
  for (const Function function :
       {Function::C_Login, Function::C_OpenSession, Function::C_GetTokenInfo, Function::C_GetSessionInfo,
        Function::C_Initialize, Function::C_GetSlotList}) {
    for (const CK_RV code : {CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE, CKR_PIN_INVALID, CKR_GENERAL_ERROR}) {
      faults_.reset();
      faults_.fail(function, code, kEveryCall);
      const auto token = std::make_shared<Token>(std::make_shared<Module>(hsm_.module()), with_pin(pin));
      const std::optional<Error> error = error_of([&] { sign(*token); });
      ASSERT_TRUE(error) << test::name(function) << " " << describe(code);
      EXPECT_THAT(error->what(), Not(HasSubstr(pin)));
    }
  }
}

}  // namespace
}  // namespace keystay::pkcs11
