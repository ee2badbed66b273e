#include "tlsd/accept/connection_limit.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

class ConnectionLimitTest : public testing::Test {
 protected:
  asio::io_context context_;
  std::shared_ptr<AsyncWait> wait_ = std::make_shared<AsyncWait>(context_.get_executor());
};

TEST_F(ConnectionLimitTest, HasAsManyPlacesAsItIsGiven) {
  const auto limit = std::make_shared<ConnectionLimit>(2);
  auto first = limit->take_or_enqueue(wait_);
  auto second = limit->take_or_enqueue(wait_);
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_FALSE(limit->take_or_enqueue(wait_));
  second.reset();
  EXPECT_TRUE(limit->take_or_enqueue(wait_));
}

TEST_F(ConnectionLimitTest, APlaceThatWasMovedIsGivenBackOnce) {
  const auto limit = std::make_shared<ConnectionLimit>(1);
  {
    auto place = limit->take_or_enqueue(wait_);
    const ConnectionLimit::Place moved = *std::move(place);
  }
  auto place = limit->take_or_enqueue(wait_);
  EXPECT_TRUE(place);
  EXPECT_FALSE(limit->take_or_enqueue(wait_));
}

TEST_F(ConnectionLimitTest, TellsThoseWhoWaitInTurnAndSkipsThoseWhoLeft) {
  const auto limit = std::make_shared<ConnectionLimit>(1);
  auto place = limit->take_or_enqueue(wait_);
  {
    const auto leaver = std::make_shared<AsyncWait>(context_.get_executor());
    EXPECT_FALSE(limit->take_or_enqueue(leaver));
  }
  EXPECT_FALSE(limit->take_or_enqueue(wait_));
  place.reset();
  EXPECT_EQ(context_.poll(), 1U);  // the notification of wait_
}

}  // namespace
}  // namespace keystay::tlsd
