// Sessions are pooled, bounded, and waited for until a deadline.
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class SessionPool : public TokenTest {
 protected:
  TokenOptions with_sessions(std::size_t sessions) const {
    TokenOptions options = this->options();
    options.sessions = sessions;
    return options;
  }

  // Every thread signs `times` times, after a first signature has found the key; how many signatures were
  // good.
  int sign_in_threads(Token& token, int threads, int times) const {
    EXPECT_TRUE(verifies(sign(token)));
    std::atomic<int> good = 0;
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&] {
        for (int n = 0; n < times; ++n) good += verifies(sign(token)) ? 1 : 0;
      });
    }
    running.clear();
    return good;
  }
};

TEST_F(SessionPool, OneThreadNeedsOneSession) {
  const auto token = this->token();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.open_sessions(), 2) << "one to sign with, and the one that keeps the login";
}

TEST_F(SessionPool, NeverMoreOperationsThanSessions) {
  const auto token = this->token(with_sessions(3));
  faults_.delay(Function::C_Sign, milliseconds(5));
  EXPECT_EQ(sign_in_threads(*token, 12, 4), 48);
  EXPECT_LE(faults_.peak(Function::C_Sign), 3);
  EXPECT_LE(faults_.open_sessions(), 4);
}

TEST_F(SessionPool, FullPoolIsWaitedForUntilTheDeadline) {
  const auto token = this->token(with_sessions(1));
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.hold(Function::C_Sign);
  auto first = std::async(std::launch::async, [&] { return verifies(sign(*token)); });
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Sign, 1));

  const auto start = std::chrono::steady_clock::now();
  Bytes signature(64);
  const std::optional<Error> error =
      error_of([&] { token->perform(key_, Sign{Ecdsa{}}, kDigest, signature, start + milliseconds(50)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::busy);
  EXPECT_THAT(error->what(), HasSubstr("`sessions`"));
  EXPECT_THAT(error->what(), HasSubstr("alias \"httpd\" on token \"web\""));
  EXPECT_GE(std::chrono::steady_clock::now(), start + milliseconds(50));

  faults_.release(Function::C_Sign);
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(verifies(sign(*token))) << "the place is free again";
}

TEST_F(SessionPool, HungCallBlocksNoOther) {
  const auto token = this->token(with_sessions(4));
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.hold(Function::C_Sign);
  auto hung = std::async(std::launch::async, [&] { return verifies(sign(*token)); });
  ASSERT_TRUE(faults_.wait_until_inside(Function::C_Sign, 1));
  // Other functions go on: nothing of Keystay's is locked while the call hangs.
  EXPECT_TRUE(token->supports(Sign{Ecdsa{}}));
  token->with_session([](Session& session) { EXPECT_FALSE(session.find_objects({}).empty()); });
  faults_.release(Function::C_Sign);
  EXPECT_TRUE(hung.get());
}

// The token itself has fewer sessions than were configured, and says so in CK_TOKEN_INFO.
TEST_F(SessionPool, IsBoundedByWhatTheTokenOffers) {
  faults_.limit_sessions(3);
  const auto token = this->token(with_sessions(32));
  faults_.delay(Function::C_Sign, milliseconds(2));
  EXPECT_EQ(sign_in_threads(*token, 8, 5), 40);
  EXPECT_LE(faults_.peak(Function::C_Sign), 2) << "one of three keeps the login";
}

// The token does not say how many it has: CKR_SESSION_COUNT comes without a warning.
TEST_F(SessionPool, WaitsForASessionWhenTheTokenHasNoMore) {
  const auto token = this->token(with_sessions(8));
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.fail(Function::C_OpenSession, CKR_SESSION_COUNT, kEveryCall);
  faults_.delay(Function::C_Sign, milliseconds(2));
  EXPECT_EQ(sign_in_threads(*token, 8, 5), 40);
  EXPECT_EQ(faults_.peak(Function::C_Sign), 1);
}

// Another program had taken the rest for a while.
TEST_F(SessionPool, AsksForMoreSessionsAgainAfterAShortage) {
  const auto token = this->token(with_sessions(8));
  faults_.delay(Function::C_Sign, milliseconds(2));
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.fail(Function::C_OpenSession, CKR_SESSION_COUNT, kEveryCall);
  ASSERT_EQ(sign_in_threads(*token, 8, 5), 40);
  ASSERT_EQ(faults_.peak(Function::C_Sign), 1);
  faults_.fail(Function::C_OpenSession, CKR_OK, 0);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (faults_.peak(Function::C_Sign) < 8 && std::chrono::steady_clock::now() < limit) {
    ASSERT_EQ(sign_in_threads(*token, 16, 10), 160);
  }
  EXPECT_EQ(faults_.peak(Function::C_Sign), 8);
}

// Of those who wait, one asks the token, and not for every signature.
TEST_F(SessionPool, AsksATokenThatIsShortOfSessionsNowAndThen) {
  const auto token = this->token(with_sessions(8));
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.fail(Function::C_OpenSession, CKR_SESSION_COUNT, kEveryCall);
  faults_.delay(Function::C_Sign, milliseconds(1));
  faults_.reset_calls();
  EXPECT_EQ(sign_in_threads(*token, 8, 50), 400);
  EXPECT_LE(faults_.calls(Function::C_OpenSession), 40u);
}

// The session count that CK_TOKEN_INFO tells may be another one after a repair.
TEST_F(SessionPool, GrowsWithWhatTheTokenOffers) {
  faults_.limit_sessions(2);
  const auto token = this->token(with_sessions(4));
  faults_.delay(Function::C_Sign, milliseconds(2));
  ASSERT_EQ(sign_in_threads(*token, 4, 5), 20);
  ASSERT_EQ(faults_.peak(Function::C_Sign), 1);
  faults_.limit_sessions(0);
  faults_.drop_sessions();
  ASSERT_EQ(sign_in_threads(*token, 16, 20), 320);
  EXPECT_EQ(faults_.peak(Function::C_Sign), 4);
}

TEST_F(SessionPool, TokenWithoutAnySessionLeftIsBusy) {
  faults_.limit_sessions(1);
  TokenOptions options = with_sessions(8);
  options.timeout = milliseconds(200);
  const auto token = this->token(options);
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::busy) << error->what();
}

TEST_F(SessionPool, TokenThatGoesAwayClosesItsSessions) {
  {
    const auto token = this->token();
    ASSERT_TRUE(verifies(sign(*token)));
    EXPECT_GT(faults_.open_sessions(), 0);
  }
  EXPECT_EQ(faults_.open_sessions(), 0);
}

TEST_F(SessionPool, FailedOperationDoesNotGoBackIntoThePool) {
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.leave_failed_signs_active();
  faults_.fail(Function::C_Sign, CKR_FUNCTION_REJECTED);
  ASSERT_TRUE(error_of([&] { sign(*token); }));
  // On the same session C_SignInit would answer CKR_OPERATION_ACTIVE.
  EXPECT_TRUE(verifies(sign(*token)));
}

}  // namespace
}  // namespace keystay::pkcs11
