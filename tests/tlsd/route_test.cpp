// Which backend gets a request or a connection, by the routes of the listener.
#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

Fields2 for_authority(const std::string& authority, const std::string& path = "/") {
  return {{":method", "GET"}, {":scheme", "https"}, {":path", path}, {":authority", authority}};
}

// The response to a request on the next stream.
Response2 send_on(Http2Client& client, const Fields2& fields) {
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, fields));
  return client.response(stream);
}

// Two backends besides "app", and a listener with names for both.
class RouteTest : public HttpTest {
 protected:
  RouteTest() {
    listener_.certificates = {
        write_certificate(directory_, "names.pem", KeyKind::ec, {"localhost", "a.example", "*.b.example"})};
    settings_.backends["app"].servers = {{"127.0.0.1", fallback_.port()}};
    settings_.backends["a"].servers = {{"127.0.0.1", a_.port()}};
    settings_.backends["b"].servers = {{"127.0.0.1", b_.port()}};
  }

  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  [[nodiscard]] std::string body_for(const std::string& host, const std::string& target) const {
    return answer("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n").body;
  }

  LogCapture log_;
  TestBackend fallback_{TestBackend::hello("app")};
  TestBackend a_{TestBackend::hello("a")};
  TestBackend b_{TestBackend::hello("b")};
};

TEST_F(RouteTest, RequestsGoByHostAndPath) {
  listener_.routes = {{"a.example", "", "a"}, {"*.b.example", "/api", "b"}};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(body_for("a.example", "/"), "a");
  EXPECT_EQ(body_for("A.EXAMPLE:443", "/x"), "a");
  EXPECT_EQ(body_for("x.b.example", "/api/1?q"), "b");
  EXPECT_EQ(body_for("x.b.example", "/apis"), "app");
  EXPECT_EQ(body_for("other.example", "/api"), "app");
}

TEST_F(RouteTest, TheAuthorityOfAnAbsoluteFormCountsAndNotHost) {
  listener_.routes = {{"a.example", "", "a"}};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(body_for("other.example", "http://a.example/"), "a");
  EXPECT_EQ(body_for("a.example", "http://other.example/"), "app");
}

TEST_F(RouteTest, RequestsOfOneConnectionGoEachItsWay) {
  listener_.routes = {{"", "/a", "a"}, {"", "/b", "b"}};
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client = connect();
  const auto get = [&](const std::string& target) {
    return send_request(client, "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n").body;
  };
  EXPECT_EQ(get("/a"), "a");
  EXPECT_EQ(get("/b"), "b");
  EXPECT_EQ(get("/"), "app");
  EXPECT_EQ(get("/a/x"), "a");
}

TEST_F(RouteTest, AFaultNamesTheBackendOfTheRoute) {
  listener_.routes = {{"a.example", "", "a"}};
  settings_.backends["a"].servers = {{"127.0.0.1", 1}};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").status, 502U);
  EXPECT_TRUE(log_.wait_for("answered with 502: backend a, 127.0.0.1:1"));
}

TEST_F(RouteTest, ConnectionsGoByServerName) {
  listener_.mode = config::ListenerMode::tcp;
  listener_.routes = {{"a.example", "", "a"}, {"*.b.example", "", "b"}};
  server_ = std::make_unique<TestServer>(settings_);
  const auto body = [&](const std::string& name) {
    TlsClient client(server_->port(), {.server_name = name});
    EXPECT_TRUE(client.handshake()) << client.reason();
    return send_request(client, kGet).body;
  };
  EXPECT_EQ(body("a.example"), "a");
  EXPECT_EQ(body("x.b.example"), "b");
  EXPECT_EQ(body("localhost"), "app");
  EXPECT_EQ(body(""), "app");
}

TEST_F(RouteTest, StreamsOfHttp2GoEachItsWay) {
  listener_.routes = {{"a.example", "", "a"}, {"*.b.example", "/api", "b"}};
  server_ = std::make_unique<TestServer>(settings_);
  Http2Client client(server_->port(), {}, "a.example");
  EXPECT_EQ(send_on(client, for_authority("a.example")).body, "a");
  EXPECT_EQ(send_on(client, for_authority("x.b.example:443", "/api/1?q")).body, "b");
  EXPECT_EQ(send_on(client, for_authority("x.b.example")).body, "app");
  EXPECT_EQ(send_on(client, for_authority("localhost")).body, "app") << "one certificate has them all";
}

TEST_F(RouteTest, AReloadChangesRoutes) {
  config::TlsdSettings next = settings_;
  next.listeners.front().routes = {{"a.example", "", "a"}};
  server_ = std::make_unique<TestServer>(settings_, [next] { return next; });
  EXPECT_EQ(body_for("a.example", "/"), "app");
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  EXPECT_EQ(body_for("a.example", "/"), "a");
}

// A certificate of its own for each host, and a route to each.
class MisdirectedTest : public RouteTest {
 protected:
  MisdirectedTest() {
    listener_.certificates = {
        write_certificate(directory_, "a.pem", KeyKind::ec, {"a.example", "also-a.example"}),
        write_certificate(directory_, "b.pem", KeyKind::ec, {"*.b.example"})};
    listener_.routes = {{"a.example", "", "a"}, {"*.b.example", "", "b"}};
  }

  // The response to a request for `host` on a connection for `server_name`.
  [[nodiscard]] HttpResponse answer_on(const std::string& server_name, const std::string& host) const {
    TlsClient client(server_->port(), {.server_name = server_name});
    EXPECT_TRUE(client.handshake()) << client.reason();
    return send_request(client, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
};

TEST_F(MisdirectedTest, AHostOfAnotherCertificateGets421) {
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer_on("a.example", "A.EXAMPLE.:8443").body, "a");
  EXPECT_EQ(answer_on("x.b.example", "x.b.example").body, "b");
  EXPECT_EQ(answer_on("x.b.example", "y.b.example").body, "b");
  EXPECT_EQ(answer_on("a.example", "also-a.example").body, "app");
  const HttpResponse refused = answer_on("a.example", "x.b.example:443");
  EXPECT_EQ(refused.status, 421U);
  EXPECT_TRUE(
      log_.wait_for("request refused with 421: the certificate of this connection is not for the host of the "
                    "request (\"x.b.example\" on a connection for \"a.example\")"))
      << log_.text();
  EXPECT_EQ(answer_on("x.b.example", "a.example").status, 421U);
  EXPECT_EQ(a_.connections(), 1) << "nothing of a refused request reaches a server";
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_own_answers_total{listener="https",status="421"})"), 2);
  EXPECT_LE(server_->metric(R"(keystay_tlsd_backend_requests_total{backend="a",status="4xx"})"), 0);
}

TEST_F(MisdirectedTest, AHostThatNoCertificateHasIsOneOfTheFirst) {
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer_on("a.example", "other.example").body, "app");
  EXPECT_EQ(answer_on("other.example", "other.example").body, "app");
  EXPECT_EQ(answer_on("", "127.0.0.1").body, "app");
  EXPECT_EQ(answer_on("x.b.example", "other.example").status, 421U);
  EXPECT_EQ(answer_on("x.b.example", "127.0.0.1").status, 421U);
}

TEST_F(MisdirectedTest, AHostThatNoCertificateHasGets421WhereSuchNamesAreRefused) {
  listener_.tls.unknown_name = config::UnknownName::refuse;
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer_on("a.example", "other.example").status, 421U);
  EXPECT_EQ(answer_on("", "other.example").status, 421U);
  EXPECT_EQ(answer_on("", "a.example").body, "a");
  EXPECT_EQ(answer_on("", "127.0.0.1:8443").body, "app") << "there are no server names for addresses";
  EXPECT_EQ(answer_on("", "[::1]:8443").body, "app");
}

TEST_F(MisdirectedTest, ARequestOfHttp10NeedNotSayItsHost) {
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client(server_->port(), {.server_name = "x.b.example"});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_EQ(send_request(client, "GET / HTTP/1.0\r\n\r\n").body, "app");
}

TEST_F(MisdirectedTest, WithoutRoutesByHostEveryHostIsServed) {
  listener_.routes = {{"", "/a", "a"}};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer_on("a.example", "x.b.example").body, "app");
}

TEST_F(MisdirectedTest, AnUploadForAnotherHostIsRefusedBeforeItsBody) {
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client(server_->port(), {.server_name = "a.example"});
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("POST / HTTP/1.1\r\nHost: x.b.example\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(read_response(client).status, 421U);
  EXPECT_EQ(b_.connections(), 0);
}

TEST_F(MisdirectedTest, OverHttp2TheStreamIsRefusedAndTheConnectionServesOthers) {
  server_ = std::make_unique<TestServer>(settings_);
  Http2Client client(server_->port(), {}, "a.example");
  EXPECT_EQ(send_on(client, for_authority("a.example")).body, "a");
  const Response2 refused = send_on(client, for_authority("x.b.example"));
  EXPECT_EQ(refused.status, 421U);
  EXPECT_TRUE(refused.complete);
  EXPECT_FALSE(refused.reset);
  EXPECT_EQ(send_on(client, for_authority("also-a.example")).body, "app");
  EXPECT_FALSE(client.is_ended());
  EXPECT_EQ(b_.connections(), 0);
}

}  // namespace
}  // namespace keystay::test
