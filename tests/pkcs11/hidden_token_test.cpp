// A token that its module did not see at C_Initialize is found once the module is started anew. SoftHSM reads
// its directory only then, and reads half a token that another process logs in to.
#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;
using testing::HasSubstr;
using namespace std::chrono_literals;

class HiddenToken : public TokenTest {
 protected:
  HiddenToken() {
    hsm_.add_token("other");
    fs::rename(hsm_.token_directory(hsm_.serial()), hidden_);
  }

  void show() { fs::rename(hidden_, tokens_ / hidden_.filename()); }

  [[nodiscard]] std::shared_ptr<Token> other_token() const {
    TokenOptions other = options();
    other.identity = {.label = "other", .serial = ""};
    return token(other);
  }

  // Asks until it signs; false if it does not within a minute.
  bool signs_at_last(Token& token) {
    const auto limit = steady_clock::now() + 1min;
    while (error_of([&] { sign(token); })) {
      if (steady_clock::now() > limit) return false;
      std::this_thread::sleep_for(5ms);
    }
    return verifies(sign(token));
  }

 private:
  const fs::path tokens_ = hsm_.directory().path() / "tokens";
  const fs::path hidden_ = hsm_.directory().path() / "hidden";
};

TEST_F(HiddenToken, IsFoundInTheEnd) {
  const auto web = token();
  const std::optional<Error> error = error_of([&] { sign(*web); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_TOKEN_NOT_PRESENT);
  EXPECT_THAT(error->what(), HasSubstr("it shows \"other\""));
  show();
  EXPECT_TRUE(signs_at_last(*web));
}

TEST_F(HiddenToken, IsFoundByOneAttemptAndARecovery) {
  const auto web = token();
  EXPECT_TRUE(error_of([&] { web->recover(); }));
  show();
  const auto limit = steady_clock::now() + 1min;
  while (error_of([&] { web->recover(); }) && steady_clock::now() < limit) std::this_thread::sleep_for(5ms);
  EXPECT_TRUE(verifies(sign(*web)));
}

TEST_F(HiddenToken, IsFoundWhileOthersAreInUseWhoseUsesDoNotFail) {
  const auto web = token();
  const auto other = other_token();
  std::atomic<std::uint64_t> uses = 0;
  std::atomic<std::uint64_t> failed = 0;
  const auto use = [&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto error =
          error_of([&] { other->with_session([](Session& session) { (void)session.state(); }); });
      if (error) ADD_FAILURE() << error->what();
      failed += error ? 1U : 0U;
      ++uses;
      std::this_thread::sleep_for(1ms);
    }
  };
  std::vector<std::jthread> users;
  for (int i = 0; i < 3; ++i) users.emplace_back(use);
  while (uses < 3) std::this_thread::yield();
  EXPECT_TRUE(error_of([&] { sign(*web); }));
  show();
  EXPECT_TRUE(signs_at_last(*web));
  const std::uint64_t before = uses;
  while (uses < before + 10) std::this_thread::yield();
  users.clear();
  EXPECT_EQ(failed, 0U);
}

TEST_F(HiddenToken, StartsTheModuleAnewOnlyNowAndThen) {
  const auto web = token();
  const auto other = other_token();
  const auto session_of_other = [&] { other->with_session([](Session& session) { (void)session.state(); }); };
  session_of_other();
  faults_.reset_calls();
  const auto limit = steady_clock::now() + 1min;
  std::uint64_t asked = 0;
  while (faults_.calls(Function::C_Initialize) < 2 && steady_clock::now() < limit) {
    asked += error_of([&] { sign(*web); }) ? 1U : 0U;
    session_of_other();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 2U) << "and not again by the retries of one opening";
  EXPECT_GT(faults_.calls(Function::C_GetSlotList), 10U);
  EXPECT_GT(asked, 10U);
}

}  // namespace
}  // namespace keystay::pkcs11
