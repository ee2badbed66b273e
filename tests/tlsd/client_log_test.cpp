// Lines that clients cause are few each second, and how many were left out is said, also where none follows.
#include "tlsd/admin/client_log.h"

#include <string>

#include <gtest/gtest.h>
#include <prometheus/counter.h>

#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

constexpr int kLines = 1000;

struct FloodedLog {
  FloodedLog() {
    for (int i = 0; i < kLines; ++i) log.write({}, "a line");
  }

  LogCapture capture;
  boost::asio::io_context context{1};
  prometheus::Counter left_out;
  tlsd::ClientLog log{"https", context.get_executor(), left_out};
};

TEST(ClientLog, TellsAtTheEndOfTheSecondWhatWasLeftOut) {
  FloodedLog flooded;
  EXPECT_GT(flooded.left_out.Value(), 0);
  EXPECT_EQ(flooded.capture.count(": a line") + flooded.left_out.Value(), kLines);
  flooded.context.run();  // until its timer has run out
  EXPECT_GE(flooded.capture.count("listener https: "), 2);
  EXPECT_GE(flooded.capture.count(" more such lines left out"), 1);
}

TEST(ClientLog, TellsAtItsEndAndWaitsForNothing) {
  FloodedLog flooded;
  flooded.log.end();
  const int told = flooded.capture.count(" more such lines left out");
  EXPECT_GE(told, 1);
  flooded.context.run();
  EXPECT_EQ(flooded.capture.count(" more such lines left out"), told) << flooded.capture.text();
}

}  // namespace
}  // namespace keystay::test
