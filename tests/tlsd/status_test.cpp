// The status page, and the JSON that it draws.
#include <regex>
#include <string>

#include "tests/tlsd/server_test.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class StatusTest : public ServerTest {
 protected:
  static HttpResponse get(TestServer& server, const std::string& target) {
    RawSocket client = RawSocket::connect(server.admin_port());
    return send_request(client, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
};

TEST_F(StatusTest, ThePageHasNothingFromElsewhereAndAStrictPolicy) {
  TestServer server(settings_);
  for (const auto& [target, type] :
       {std::pair("/", "text/html; charset=utf-8"), std::pair("/status.css", "text/css; charset=utf-8"),
        std::pair("/status.js", "text/javascript; charset=utf-8")}) {
    const HttpResponse response = get(server, target);
    EXPECT_EQ(response.status, 200U) << target;
    EXPECT_EQ(response.field("Content-Type"), type);
    EXPECT_THAT(response.field("Content-Security-Policy"),
                AllOf(HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'none'"),
                      Not(HasSubstr("unsafe"))));
    EXPECT_EQ(response.field("X-Content-Type-Options"), "nosniff");
    // The name of SVG is none of a resource.
    const std::string text =
        std::regex_replace(response.body, std::regex("http://www\\.w3\\.org/2000/svg"), "");
    EXPECT_FALSE(std::regex_search(text, std::regex("https?://|url\\(|@import|innerHTML|src=\"//")))
        << target;
  }
}

TEST_F(StatusTest, JsonHasTheConfigurationInUseAndAllMetrics) {
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  const HttpResponse response = get(server, "/status.json");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.field("Content-Type"), "application/json");
  const std::string app = "127.0.0.1:" + std::to_string(backend_.port());
  EXPECT_THAT(
      response.body,
      AllOf(
          HasSubstr(R"("stopping":false,"listeners":[{"name":"https","mode":"http","bind":["127.0.0.1:0"],)"),
          HasSubstr("\"certificates\":[{\"name\":\"" + listener_.certificates.front() +
                    R"(","dns_names":["localhost"],"key":"EC 256","on_token":false,"not_after":)"),
          HasSubstr("\"missing\":[],\"backends\":[{\"name\":\"app\",\"servers\":[\"" + app +
                    "\"]}],\"groups\":[]"),
          HasSubstr(R"({"labels":{"listener":"https","result":"full"},"value":1)"),
          HasSubstr(
              R"("keystay_tlsd_backend_first_byte_seconds":[{"labels":{"backend":"app"},"count":1,"sum":)"),
          HasSubstr("[null,1]]}]")));
}

TEST_F(StatusTest, RequestsAndTheFirstByteAreCountedByBackend) {
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  EXPECT_TRUE(
      server.wait_for_metric(R"(keystay_tlsd_backend_requests_total{backend="app",status="2xx"})", 1));
  EXPECT_EQ(server.metric(R"(keystay_tlsd_backend_first_byte_seconds_count{backend="app"})"), 1);
  EXPECT_EQ(server.metric(R"(keystay_tlsd_http_bytes_total{direction="in",listener="https"})"),
            static_cast<double>(sizeof kGet - 1));
  EXPECT_GT(server.metric(R"(keystay_tlsd_http_bytes_total{direction="out",listener="https"})"), 40);
}

TEST_F(StatusTest, ABackendThatAReloadRemovesTakesItsSeriesAlong) {
  config::TlsdSettings next = settings_;
  next.backends["other"] = next.backends.at("app");
  next.listeners.front().backend = "other";
  TestServer server(settings_, [next] { return next; });
  const auto series = [](const std::string& backend) {
    return "keystay_tlsd_backend_requests_total{backend=\"" + backend + "\",status=\"2xx\"}";
  };
  EXPECT_EQ(server.metric(series("app")), 0);
  server.server().reload();
  ASSERT_TRUE(server.wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  EXPECT_TRUE(server.wait_for_metric(series("other"), 0));
  EXPECT_TRUE(server.wait_for_metric(series("app"), -1));
}

}  // namespace
}  // namespace keystay::test
