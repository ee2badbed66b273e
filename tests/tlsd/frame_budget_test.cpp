// What a client of HTTP/2 may send that moves nothing.
#include "tlsd/http2/frame_budget.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

TEST(FrameBudget, IsSpentByAFloodAndComesBackWithTime) {
  const auto begin = FrameBudget::Clock::now();
  FrameBudget budget(begin);
  for (std::int64_t i = 0; i < FrameBudget::kMost; ++i) ASSERT_TRUE(budget.spend(1, begin));
  EXPECT_FALSE(budget.spend(1, begin));
  EXPECT_TRUE(budget.spend(100, begin + 1s));
  EXPECT_FALSE(budget.spend(FrameBudget::kPerSecond, begin + 1s));
}

TEST(FrameBudget, NeverHoldsMoreThanItBeganWith) {
  const auto begin = FrameBudget::Clock::now();
  FrameBudget budget(begin);
  budget.earn(1000);
  EXPECT_TRUE(budget.spend(FrameBudget::kMost, begin + 1h));
  EXPECT_FALSE(budget.spend(FrameBudget::kMost + 1, begin + 2h));
}

TEST(FrameBudget, AClientThatGivesUpHalfOfItsRequestsMaySoForEver) {
  const auto now = FrameBudget::Clock::now();
  FrameBudget budget(now);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(budget.spend(FrameBudget::kGivenUp, now));
    for (int j = 0; j < 2; ++j) budget.earn(FrameBudget::kResponse);
  }
}

TEST(FrameBudget, WindowsThatAreOpenedAsBytesComeCostNothingAndByTheByteTheyDo) {
  const auto now = FrameBudget::Clock::now();
  FrameBudget budget(now);
  for (int i = 0; i < 100'000; ++i) {
    budget.earn_bytes(2048);
    ASSERT_TRUE(budget.spend(2 * FrameBudget::kSmallFrame, now));  // for the stream and the connection
  }
  bool left = true;
  for (int i = 0; i < 20'000 && left; ++i) {
    budget.earn_bytes(1);
    left = budget.spend(FrameBudget::kSmallFrame, now);
  }
  EXPECT_FALSE(left);
}

}  // namespace
}  // namespace keystay::tlsd
