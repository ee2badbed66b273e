// A forked child starts the module, logs in and finds its keys anew; the parent goes on as before.
#include <cstdlib>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

class Fork : public TokenTest {};

TEST_F(Fork, ChildOfAProcessThatUsedNothingStartsTheModule) {
  const auto token = this->token();
  EXPECT_TRUE(true_in_child([&] { return verifies(sign(*token)); }));
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
  EXPECT_EQ(module_->generation(), 0u) << "the parent's module is untouched";
}

TEST_F(Fork, ChildInitializesLogsInAndFindsTheKeyAgain) {
  faults_.require_initialize_after_fork();
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.reset_calls();
  EXPECT_TRUE(true_in_child([&] { return verifies(sign(*token)) && verifies(sign(*token)); }));
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
  EXPECT_EQ(faults_.initialize_flags(), CKF_OS_LOCKING_OK);
  EXPECT_EQ(faults_.calls(Function::C_Login), 1u);
  EXPECT_GE(faults_.calls(Function::C_FindObjectsInit), 1u);
}

TEST_F(Fork, ParentGoesOnWithItsSessionAndHandle) {
  faults_.require_initialize_after_fork();
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  ASSERT_TRUE(true_in_child([&] { return verifies(sign(*token)); }));
  faults_.reset_calls();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_SignInit), 1u);
  EXPECT_EQ(faults_.calls(Function::C_Sign), 1u);
  EXPECT_EQ(faults_.calls(), 2u);
}

TEST_F(Fork, ChildLeavesTheParentsConnectionAlone) {
  faults_.require_initialize_after_fork();
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  faults_.reset_calls();
  ASSERT_TRUE(true_in_child([&] { return verifies(sign(*token)); }));
  EXPECT_EQ(faults_.calls(Function::C_Finalize), 0u);
  EXPECT_EQ(faults_.calls(Function::C_Logout), 0u);
  EXPECT_EQ(faults_.calls(Function::C_CloseSession), 0u);
  EXPECT_EQ(faults_.calls(Function::C_CloseAllSessions), 0u);
}

// SoftHSM by default does not notice a fork: C_Initialize answers CKR_CRYPTOKI_ALREADY_INITIALIZED in the
// child.
TEST_F(Fork, ChildWorksWithAModuleThatDoesNotNoticeTheFork) {
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_TRUE(true_in_child([&] { return verifies(sign(*token)); }));
  EXPECT_TRUE(verifies(sign(*token)));
}

TEST_F(Fork, EveryGenerationStartsAnew) {
  faults_.require_initialize_after_fork();
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_TRUE(true_in_child([&] {
    return verifies(sign(*token)) && true_in_child([&] { return verifies(sign(*token)); }) &&
           verifies(sign(*token));
  }));
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 3u);
  EXPECT_EQ(faults_.calls(Function::C_Login), 3u);
}

TEST_F(Fork, ManyWorkersSignAtTheSameTime) {
  const auto token = this->token();
  ASSERT_TRUE(verifies(sign(*token)));
  EXPECT_TRUE(true_in_child([&] {
    std::vector<pid_t> workers;
    for (int i = 0; i < 4; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        bool all = true;
        for (int n = 0; n < 20; ++n) all = all && verifies(sign(*token));
        _exit(all ? 0 : 1);
      }
      workers.push_back(pid);
    }
    bool all = true;
    for (const pid_t worker : workers) {
      int status = -1;
      all = waitpid(worker, &status, 0) == worker && status == 0 && all;
    }
    return all;
  }));
}

// Nothing of Keystay calls into the module from atexit or a static destructor.
TEST_F(Fork, ProcessThatSignedExitsWithItsOwnCode) {
  const auto token = this->token();
  const auto sign_and_exit = [&] {
    const bool good = verifies(sign(*token));
    faults_.reset_calls();
    std::exit(good ? 42 : 1);
  };
  EXPECT_EXIT(sign_and_exit(), testing::ExitedWithCode(42), "");
  EXPECT_EQ(faults_.calls(), 0u) << "a call at exit";
}

}  // namespace
}  // namespace keystay::pkcs11
