// A server in front of a backend, for clients of HTTP/2.
#pragma once

#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {

inline constexpr char kConnections2[] = R"(keystay_tlsd_connections{listener="https"})";

[[nodiscard]] inline std::string http2_errors(const std::string& scope, const std::string& error) {
  return "keystay_tlsd_http2_errors_total{error=\"" + error + "\",listener=\"https\",scope=\"" + scope +
         "\"}";
}

class Http2Test : public HttpTest {
 protected:
  // The next client is served, whatever became of those before.
  void expect_served() {
    Http2Client client(server_->port());
    EXPECT_EQ(client.get().status, 200U);
  }
};

}  // namespace keystay::test
