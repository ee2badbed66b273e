#include "keystore-tools/start_date.h"

#include <gtest/gtest.h>

#include "keystore-tools/failure.h"

namespace keystay::tools {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr sys_seconds kNow = sys_days{2026y / November / 21} + 9h + 30min + 15s;

TEST(StartDate, IsNowUnlessItIsGiven) { EXPECT_EQ(start_date("", kNow), kNow); }

TEST(StartDate, IsADateATimeOrBoth) {
  EXPECT_EQ(start_date("2025/02/28 23:59:58", kNow), sys_days{2025y / February / 28} + 23h + 59min + 58s);
  EXPECT_EQ(start_date("2025/02/28", kNow), sys_days{2025y / February / 28} + 9h + 30min + 15s);
  EXPECT_EQ(start_date("00:00:00", kNow), sys_days{2026y / November / 21});
}

TEST(StartDate, IsAShiftInAnyUnit) {
  EXPECT_EQ(start_date("-1d", kNow), kNow - days(1));
  EXPECT_EQ(start_date("+2H-30M+5S", kNow), kNow + 2h - 30min + 5s);
  EXPECT_EQ(start_date("+1y-2m", kNow), sys_days{2027y / September / 21} + 9h + 30min + 15s);
}

TEST(StartDate, EndsOnTheLastDayOfAShorterMonth) {
  const sys_seconds end_of_january = sys_days{2026y / January / 31};
  EXPECT_EQ(start_date("+1m", end_of_january), sys_seconds(sys_days{2026y / February / 28}));
  EXPECT_EQ(start_date("+2y+1m", end_of_january), sys_seconds(sys_days{2028y / February / 29}));
}

TEST(StartDate, IsNothingElse) {
  for (const char* text :
       {"tomorrow", "1d", "-d", "+1", "+1w", "+1d ", "2026/13/01", "2026/02/30", "2026/2/3", "26/02/03",
        "2026-02-03", "24:00:00", "12:60:00", "12:00", "2026/02/03T12:00:00", "2026/02/03 ", " "}) {
    EXPECT_THROW((void)start_date(text, kNow), UsageError) << text;
  }
}

}  // namespace
}  // namespace keystay::tools
