// The administrator's listener: health, metrics, and nothing else.
#include <string>
#include <utility>

#include "tests/tlsd/server_test.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

class AdminTest : public ServerTest {
 protected:
  static HttpResponse get(TestServer& server, const std::string& target, const std::string& method = "GET") {
    RawSocket client = RawSocket::connect(server.admin_port());
    return send_request(client, method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
};

TEST_F(AdminTest, IsHealthyWhereNoKeyLivesOnAToken) {
  TestServer server(settings_);
  EXPECT_EQ(get(server, "/health").status, 204U);
}

TEST_F(AdminTest, ShowsMetricsInThePrometheusFormat) {
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  const HttpResponse response = get(server, "/metrics");
  EXPECT_EQ(response.status, 200U);
  EXPECT_THAT(response.field("Content-Type"), HasSubstr("version=0.0.4"));
  for (const std::string line :
       {"# TYPE keystay_tlsd_handshakes_total counter",
        R"(keystay_tlsd_handshakes_total{listener="https",result="full"} 1)",
        "keystay_tlsd_handshakes_paused 0", R"(keystay_tlsd_connections{listener="https"} 1)",
        R"(keystay_tlsd_requests_total{listener="https",status="2xx"} 1)",
        R"(keystay_tlsd_sign_wait_seconds_bucket{le="0.0001"} 0)",
        R"(keystay_tlsd_sign_wait_seconds_bucket{le="3.2768"} 0)",
        "keystay_tlsd_certificate_expiry_timestamp_seconds{"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST_F(AdminTest, CountsEachListenerOnItsOwn) {
  settings_.listeners.push_back(listener_);
  settings_.listeners.back().name = "second";
  TestServer server(settings_);
  TlsClient client(server.port(1));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  for (const auto& [listener, count] : {std::pair("https", 0), std::pair("second", 1)}) {
    const std::string labels = "{listener=\"" + std::string(listener) + "\"";
    EXPECT_EQ(server.metric("keystay_tlsd_connections" + labels + "}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_requests_total" + labels + ",status=\"2xx\"}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_handshakes_total" + labels + ",result=\"full\"}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_accept_errors_total" + labels + "}"), 0);
  }
}

TEST_F(AdminTest, KnowsNothingElse) {
  TestServer server(settings_);
  EXPECT_EQ(get(server, "/status").status, 404U);
  EXPECT_EQ(get(server, "/health", "POST").status, 405U);
}

TEST_F(AdminTest, KeepsItsConnections) {
  TestServer server(settings_);
  RawSocket client = RawSocket::connect(server.admin_port());
  std::string rest;
  for (int i = 0; i < 3; ++i) {
    client.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(read_response(client, rest).status, 204U);
  }
}

}  // namespace
}  // namespace keystay::test
