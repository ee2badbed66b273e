#include "tlsd/watchdog.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

int signs_of_life = 0;
void show_life() noexcept { ++signs_of_life; }

class WatchdogTest : public testing::Test {
 protected:
  void SetUp() override { signs_of_life = 0; }

  // For some periods, in which only these threads handle what is posted to them.
  void pass_time(std::initializer_list<asio::io_context*> awake) {
    for (int i = 0; i < 20; ++i) {
      control_.restart();
      control_.run_for(2ms);
      for (asio::io_context* thread : awake) {
        thread->restart();
        thread->poll();
      }
    }
  }

  asio::io_context control_{1};
  asio::io_context one_{1};
  asio::io_context other_{1};
  Watchdog watchdog_{control_, {&one_, &other_}, 1ms, &show_life};
};

TEST_F(WatchdogTest, ShowsLifeAsLongAsAllThreadsAnswer) {
  watchdog_.start();
  EXPECT_EQ(signs_of_life, 1);
  pass_time({&one_, &other_});
  EXPECT_GT(signs_of_life, 2);
}

TEST_F(WatchdogTest, IsSilentUntilTheLastThreadAnswers) {
  watchdog_.start();
  pass_time({&one_});
  EXPECT_EQ(signs_of_life, 1);
  pass_time({&one_, &other_});
  EXPECT_GT(signs_of_life, 2);
}

TEST_F(WatchdogTest, DoesWithoutThreadsThatEnd) {
  watchdog_.start();
  watchdog_.ignore_threads();
  pass_time({});
  EXPECT_GT(signs_of_life, 2);
}

TEST_F(WatchdogTest, IsAskedForByTheServiceManager) {
  ::unsetenv("WATCHDOG_PID");
  ::unsetenv("WATCHDOG_USEC");
  EXPECT_FALSE(Watchdog::period_of_environment());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(Watchdog::period_of_environment(), 1500ms);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(Watchdog::period_of_environment(), 1500ms);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(Watchdog::period_of_environment());
  ::unsetenv("WATCHDOG_PID");
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(Watchdog::period_of_environment());
  ::unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace keystay::tlsd
