// health-path: a listener says itself, over TLS, whether the server is healthy.
#include <string>

#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

class HealthPathTest : public HttpTest {
 protected:
  HealthPathTest() { listener_.health_path = "/healthz"; }

  static std::string get(const std::string& target, const std::string& method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
};

TEST_F(HealthPathTest, IsAnsweredHereAndKeepsTheConnection) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 2; ++i) {
    client.write(get("/healthz"));
    const HttpResponse response = read_response(client, rest);
    EXPECT_EQ(response.status, 204U);
    EXPECT_TRUE(response.keep_alive);
  }
  EXPECT_EQ(backend_->connections(), 0);
  client.write(get("/"));
  EXPECT_EQ(read_response(client, rest).body, "hello");
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_own_answers_total{listener="https",status="204"})"), 2);
}

TEST_F(HealthPathTest, IsAnsweredOverHttp2) {
  serve(TestBackend::hello());
  Http2Client client(server_->port());
  const Response2 response = client.get("/healthz");
  EXPECT_EQ(response.status, 204U);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(backend_->connections(), 0);
  EXPECT_EQ(client.get("/").body, "hello");
}

TEST_F(HealthPathTest, AllElseIsTheBackends) {
  serve(TestBackend::hello());
  for (const std::string& request :
       {get("/healthz/"), get("/healthz?x"), get("/Healthz"), get("/healthz", "DELETE")})
    EXPECT_EQ(answer(request).body, "hello") << request;
}

TEST_F(HealthPathTest, Is500WhereACertificateIsMissing) {
  settings_.start = config::Start::degraded;
  listener_.certificates.push_back((directory_.path() / "missing.pem").string());
  serve(TestBackend::hello());
  const HttpResponse response = answer(get("/healthz"));
  EXPECT_EQ(response.status, 500U);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(answer(get("/")).status, 200U);
}

TEST_F(HealthPathTest, Is500WhileTheServerStops) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  std::string rest;
  client.write(get("/healthz") + "GET /heal");  // the second one is in flight
  EXPECT_EQ(read_response(client, rest).status, 204U);
  server_->stop();
  const auto stopping = [&] {
    RawSocket admin = RawSocket::connect(server_->admin_port());
    return send_request(admin, get("/health")).status == 500U;
  };
  while (!stopping()) continue;
  client.write("thz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const HttpResponse response = read_response(client, rest);
  EXPECT_EQ(response.status, 500U);
  EXPECT_FALSE(response.keep_alive);
}

TEST_F(HealthPathTest, ServersWithoutOnePassItOn) {
  listener_.health_path.clear();
  serve(TestBackend::hello());
  EXPECT_EQ(answer(get("/healthz")).body, "hello");
}

}  // namespace
}  // namespace keystay::test
