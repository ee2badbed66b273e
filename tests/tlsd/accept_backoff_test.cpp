#include "tlsd/accept/accept_backoff.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using namespace std::chrono_literals;

boost::system::error_code error(int value) { return {value, boost::system::system_category()}; }

TEST(AcceptBackoff, DoublesUpToASecondAndBeginsAgainAfterASuccess) {
  AcceptBackoff backoff;
  EXPECT_TRUE(backoff.begins());
  for (const auto pause : {5ms, 10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1000ms, 1000ms}) {
    EXPECT_EQ(backoff.after(error(EMFILE)), pause);
    EXPECT_FALSE(backoff.begins());
  }
  backoff.succeeded();
  EXPECT_TRUE(backoff.begins());
  EXPECT_EQ(backoff.after(error(ENOBUFS)), 5ms);
}

TEST(AcceptBackoff, DoesNotWaitForWhatConcernsOneConnection) {
  AcceptBackoff backoff;
  for (const int value : {ECONNABORTED, EPROTO, ECONNRESET, EHOSTUNREACH}) {
    EXPECT_EQ(backoff.after(error(value)), 0ms);
    EXPECT_TRUE(backoff.begins());
  }
  for (const int value : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) EXPECT_GT(backoff.after(error(value)), 0ms);
}

}  // namespace
}  // namespace keystay::tlsd
