#include "tlsd/time_limit.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

TEST(TimeLimit, CallsOnceWhenTheTimeHasPassed) {
  asio::io_context context;
  int calls = 0;
  const TimeLimit limit(context.get_executor(), 1ms, [&] { ++calls; });
  EXPECT_FALSE(limit.expired());
  context.run();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(limit.expired());
}

TEST(TimeLimit, IsForgottenWithItsOwner) {
  asio::io_context context;
  int calls = 0;
  {
    const TimeLimit limit(context.get_executor(), 1h, [&] { ++calls; });
  }
  context.run();  // does not wait for an hour
  EXPECT_EQ(calls, 0);
}

TEST(TimeLimit, MayEndInItsOwnCall) {
  asio::io_context context;
  std::unique_ptr<TimeLimit> limit;
  limit = std::make_unique<TimeLimit>(context.get_executor(), 1ms, [&] { limit.reset(); });
  context.run();
  EXPECT_EQ(limit, nullptr);
}

TEST(TimeLimit, CountsFromTheLastRestart) {
  asio::io_context context;
  const auto begin = Clock::now();
  Clock::time_point restarted;
  Clock::time_point expired;
  TimeLimit limit(context.get_executor(), 200ms, [&] { expired = Clock::now(); });
  Timer halfway(context.get_executor(), 100ms);
  halfway.async_wait([&](error_code) {
    limit.restart();
    restarted = Clock::now();
  });
  context.run();
  EXPECT_GE(expired - begin, 200ms);
  if (restarted < expired) {
    EXPECT_GE(expired - restarted, 199ms);
  }
}

}  // namespace
}  // namespace keystay::tlsd
