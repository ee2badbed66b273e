// A process that ends while threads of a group are in modules: exit() destroys what the modules have.
#include <cstdlib>
#include <thread>

#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

class ProcessEnd : public GroupTest {
 protected:
  ProcessEnd() { use_group("check = \"100ms\"\nprobe = [\"100ms\"]\n"); }
};

// Members that have nothing to do are asked for a sign of life all the time.
TEST_F(ProcessEnd, FindsNoThreadInAModule) {
  for (int i = 0; i < 5; ++i) {
    const auto exit_while_asked = [&] {
      const bool good = signs(key());
      for (std::size_t member = 0; member < kMembers; ++member)
        faults(member).delay(Function::C_GetSessionInfo, 80ms);
      const bool asked = faults(1).wait_until_inside(Function::C_GetSessionInfo, 1);
      std::exit(good && asked ? 42 : 1);
    };
    EXPECT_EXIT(exit_while_asked(), testing::ExitedWithCode(42), "");
    for (std::size_t member = 0; member < kMembers; ++member) {
      EXPECT_EQ(faults(member).calls_past_exit(), 0U);
      faults(member).reset();
    }
  }
}

// It is not waited for, and it does not end the process with a crash.
TEST_F(ProcessEnd, LeavesACallThatHangs) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "nothing orders libcrypto's end after what a call that hangs has read";
#endif
  use_group("check = \"100ms\"\nattempt-timeout = \"200ms\"\n");
  const auto exit_with_a_hang = [&] {
    const keys::PrivateKey httpd = key();
    faults(0).hold(Function::C_Sign);
    bool good = true;
    for (int i = 0; i < 6; ++i) good = signs(httpd) && good;
    std::exit(good && status(0).left_calls > 0 ? 42 : 1);
  };
  EXPECT_EXIT(exit_with_a_hang(), testing::ExitedWithCode(42), "");
  faults(0).release(Function::C_Sign);
}

}  // namespace
}  // namespace keystay::ha
