#include "native/config/address_range.h"

#include <gtest/gtest.h>

namespace keystay::config {
namespace {

struct RangeCase {
  const char* range;
  const char* inside;
  const char* outside;
};

class AddressRangeTest : public testing::TestWithParam<RangeCase> {};

TEST_P(AddressRangeTest, EndsWithItsPrefix) {
  const auto range = AddressRange::parse(GetParam().range);
  ASSERT_TRUE(range) << GetParam().range;
  EXPECT_TRUE(range->contains(*parse_address(GetParam().inside)));
  EXPECT_FALSE(range->contains(*parse_address(GetParam().outside)));
}

const RangeCase kRanges[] = {
    {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
    {"192.0.2.7", "192.0.2.7", "192.0.2.8"},
    {"10.0.0.0/9", "10.127.255.255", "10.128.0.0"},
    {"0.0.0.0/0", "255.255.255.255", "::1"},
    {"192.0.2.0/24", "::ffff:192.0.2.1", "::192.0.2.1"},
    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
    {"::1", "::1", "::"},
};
INSTANTIATE_TEST_SUITE_P(Cidr, AddressRangeTest, testing::ValuesIn(kRanges));

TEST(AddressRange, OfAllHoldsAll) {
  EXPECT_TRUE(AddressRange::parse("::/0")->contains(*parse_address("192.0.2.1")));
}

TEST(AddressRange, IsNothingElse) {
  for (const char* text : {"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8",
                           "192.0.2.0/24 ", "192.0.2/24", "192.0.2.7/24", "2001:db8::/129", "2001:db8::1/64",
                           "localhost", "[::1]", "192.0.2.0/255.255.255.0", "192.0.2.0/24/24"}) {
    EXPECT_FALSE(AddressRange::parse(text)) << text;
  }
}

}  // namespace
}  // namespace keystay::config
