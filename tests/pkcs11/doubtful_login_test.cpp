// A C_Login that fails without a word on the PIN may have been counted as a wrong one: it is repeated once,
// and then after pauses that grow.
#include <thread>
#include <vector>

#include "native/pkcs11/doubtful_logins.h"
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

class DoubtfulLogin : public TokenTest {
 protected:
  // What a module may answer to a PIN, wrong or not, without saying so.
  static constexpr CK_RV kCodes[] = {CKR_VENDOR_DEFINED | 0x4f01,
                                     CKR_GENERAL_ERROR,
                                     CKR_FUNCTION_FAILED,
                                     CKR_DEVICE_ERROR,
                                     CKR_DEVICE_REMOVED,
                                     CKR_TOKEN_NOT_PRESENT,
                                     CKR_USER_PIN_NOT_INITIALIZED,
                                     CKR_ARGUMENTS_BAD,
                                     CKR_FUNCTION_CANCELED,
                                     CKR_HOST_MEMORY,
                                     CKR_SESSION_COUNT,
                                     CKR_SESSION_HANDLE_INVALID,
                                     CKR_CRYPTOKI_NOT_INITIALIZED};

  // The most logins that the pauses allow in the time since `start`.
  static std::uint64_t allowed_since(steady_clock::time_point start) {
    std::uint64_t logins = 1;
    for (auto next = start;
         (next += DoubtfulLogins::pause_after(static_cast<unsigned>(logins))) < steady_clock::now();) {
      ++logins;
    }
    return logins + 1;
  }

  // Of a module of its own, which remembers nothing.
  std::shared_ptr<Token> fresh_token(TokenOptions options) const {
    return std::make_shared<Token>(std::make_shared<Module>(hsm_.module()), std::move(options));
  }
};

TEST_F(DoubtfulLogin, IsRepeatedOnceInAnOpening) {
  for (const CK_RV code : kCodes) {
    faults_.reset();
    faults_.fail(Function::C_Login, code, kEveryCall);
    EXPECT_TRUE(error_of([&] { sign(*fresh_token(options())); })) << describe(code);
    EXPECT_LE(faults_.calls(Function::C_Login), 2u) << describe(code);
    EXPECT_GE(faults_.calls(Function::C_Login), 1u) << describe(code);
  }
}

TEST_F(DoubtfulLogin, ThatSucceedsAtTheSecondTryIsNoFailure) {
  for (const CK_RV code : {CKR_GENERAL_ERROR, CKR_VENDOR_DEFINED | 0x4f01, CKR_SESSION_HANDLE_INVALID}) {
    faults_.reset();
    faults_.fail(Function::C_Login, code);
    const auto token = fresh_token(options());
    EXPECT_TRUE(verifies(sign(*token))) << describe(code);
    EXPECT_EQ(faults_.calls(Function::C_Login), 2u) << describe(code);
  }
}

// Signatures that are wanted all the time, and other objects of the token, spend no more than one would.
TEST_F(DoubtfulLogin, IsRepeatedAtGrowingPausesHoweverManyAsk) {
  faults_.fail(Function::C_Login, CKR_VENDOR_DEFINED | 0x4f01, kEveryCall);
  const auto start = steady_clock::now();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      TokenOptions options = this->options();
      options.identity = {.label = "web", .serial = i % 2 == 0 ? "" : hsm_.serial()};
      const auto token = this->token(options);
      for (int n = 0; n < 20; ++n) {
        EXPECT_TRUE(error_of([&] { sign(*token); }));
        std::this_thread::sleep_for(milliseconds(60));  // past what separates two openings
      }
    });
  }
  threads.clear();
  EXPECT_LE(faults_.calls(Function::C_Login), allowed_since(start));
}

TEST_F(DoubtfulLogin, TellsTheFailureAndThePause) {
  faults_.fail(Function::C_Login, CKR_VENDOR_DEFINED | 0x4f01, kEveryCall);
  const auto token = this->token();
  ASSERT_TRUE(error_of([&] { sign(*token); }));
  const std::optional<Error> error = error_of([&] { (void)this->token()->info(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_VENDOR_DEFINED | 0x4f01);
  EXPECT_THAT(error->what(), HasSubstr("C_Login is not tried again for "));
}

TEST_F(DoubtfulLogin, WithACorrectedPinIsTriedAtOnce) {
  std::string pin = "999999";
  TokenOptions options = this->options();
  options.pin = [&] { return Pin(pin); };
  const auto token = this->token(options);
  faults_.fail(Function::C_Login, CKR_VENDOR_DEFINED | 0x4f01, 2);
  ASSERT_TRUE(error_of([&] { sign(*token); }));
  pin = hsm_.pin();
  EXPECT_TRUE(verifies(sign(*this->token(options))));
  EXPECT_EQ(faults_.calls(Function::C_Login), 3u);
}

// The token's own flags say what its return value did not.
TEST_F(DoubtfulLogin, ThatTheTokenCountedIsARefusal) {
  faults_.fail(Function::C_Login, CKR_GENERAL_ERROR, kEveryCall);
  faults_.hold(Function::C_Login);
  const auto token = this->token();
  std::optional<Error> error;
  std::jthread signing([&] { error = error_of([&] { sign(*token); }); });
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Login, 1));
  faults_.set_token_flags(CKF_USER_PIN_COUNT_LOW);
  faults_.release(Function::C_Login);
  signing.join();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::authentication) << error->what();
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

// A key with CKA_ALWAYS_AUTHENTICATE wants a login for each signature.
TEST_F(DoubtfulLogin, ForAnOperationIsRepeatedOnceToo) {
  hsm_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "guarded", "--id", "21", "--always-auth"});
  const KeyReference guarded = ec_reference("guarded", {0x21});
  const auto token = this->token();
  ASSERT_EQ(sign(*token, guarded).size(), 64u);
  faults_.reset_calls();
  faults_.fail(Function::C_Login, CKR_VENDOR_DEFINED | 0x4f01, kEveryCall);
  const auto start = steady_clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(error_of([&] { sign(*token, guarded); }));
  EXPECT_LE(faults_.calls(Function::C_Login), allowed_since(start));
}

TEST_F(DoubtfulLogin, AtAPinPadIsRepeatedAtGrowingPauses) {
  for (const CK_RV code : {CKR_FUNCTION_CANCELED, CKR_PIN_INCORRECT, CKR_VENDOR_DEFINED | 0x4f01}) {
    faults_.reset();
    faults_.set_token_flags(CKF_PROTECTED_AUTHENTICATION_PATH);
    faults_.fail(Function::C_Login, code, kEveryCall);
    const auto start = steady_clock::now();
    const auto token = fresh_token(options());
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(error_of([&] { sign(*token); }));
    EXPECT_LE(faults_.calls(Function::C_Login), allowed_since(start)) << describe(code);
  }
}

// Two aliases whose URIs have a PIN each, and both are wrong: neither makes the other forgotten.
TEST_F(DoubtfulLogin, RefusalsOfTwoPinsAreBothRemembered) {
  std::vector<std::shared_ptr<Token>> tokens;
  for (const char* pin : {"111111", "222222"}) {
    TokenOptions options = this->options();
    options.pin = [pin] { return Pin(pin); };
    tokens.push_back(this->token(options));
  }
  for (int i = 0; i < 3; ++i) {
    for (const auto& token : tokens) EXPECT_TRUE(error_of([&] { sign(*token); }));
  }
  EXPECT_EQ(faults_.calls(Function::C_Login), 2u);
}

TEST_F(DoubtfulLogin, RefusedPinIsNotTriedAgainByAForkedChild) {
  TokenOptions options = this->options();
  options.pin = [] { return Pin("999999"); };
  const auto token = this->token(options);
  ASSERT_TRUE(error_of([&] { sign(*token); }));
  EXPECT_TRUE(true_in_child([&] {
    const std::optional<Error> error = error_of([&] { sign(*token); });
    return error && error->error_class() == ErrorClass::authentication;
  }));
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
}

TEST_F(DoubtfulLogin, PausesGrow) {
  auto before = DoubtfulLogins::pause_after(0);
  EXPECT_EQ(before, milliseconds(0));
  for (unsigned failures = 1; failures <= 8; ++failures) {
    const auto pause = DoubtfulLogins::pause_after(failures);
    EXPECT_GE(pause, failures <= 7 ? 2 * before : before) << failures;
    before = pause;
  }
  EXPECT_EQ(DoubtfulLogins::pause_after(8), DoubtfulLogins::pause_after(1000));
}

}  // namespace
}  // namespace keystay::pkcs11
