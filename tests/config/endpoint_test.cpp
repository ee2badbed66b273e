#include "native/config/endpoint.h"

#include <gtest/gtest.h>

namespace keystay::config {
namespace {

TEST(Endpoint, IsALiteralAddressAndAPort) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:8443"), (Endpoint{"127.0.0.1", 8443}));
  EXPECT_EQ(parse_endpoint("[::1]:65535"), (Endpoint{"::1", 65535}));
  EXPECT_EQ(parse_endpoint("0.0.0.0:0"), (Endpoint{"0.0.0.0", 0}));
}

TEST(Endpoint, IsNothingElse) {
  for (const char* text : {"",
                           ":",
                           "8443",
                           ":8443",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1: 1",
                           "127.0.0.1:1 ",
                           "localhost:1",
                           "::1:1",
                           "[127.0.0.1]:1",
                           "[]:1",
                           "[::1]",
                           "[::1]1",
                           "[::g]:1",
                           "1.2.3:4",
                           "256.0.0.1:1"}) {
    EXPECT_EQ(parse_endpoint(text), std::nullopt) << text;
  }
}

TEST(Endpoint, IsWrittenAsItIsRead) {
  for (const char* text : {"127.0.0.1:8443", "[::1]:8443"}) {
    EXPECT_EQ(format_endpoint(*parse_endpoint(text)), text);
  }
}

}  // namespace
}  // namespace keystay::config
