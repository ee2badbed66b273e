// A listener that speaks HTTP in clear and sends its clients to https.
#include <fstream>
#include <iterator>

#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr char kChallenge[] = "GET /.well-known/acme-challenge/abc HTTP/1.1\r\nHost: www.example\r\n\r\n";

class RedirectTest : public HttpTest {
 protected:
  RedirectTest() {
    listener_.redirect.emplace();
    listener_.certificates.clear();
  }
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  void serve_alone() {
    listener_.backend.clear();
    server_ = std::make_unique<TestServer>(settings_);
  }
  [[nodiscard]] HttpResponse ask(std::string_view request, http::verb method = http::verb::get) const {
    RawSocket client = RawSocket::connect(server_->port());
    client.write(request);
    std::string rest;
    return read_response(client, rest, method);
  }
  [[nodiscard]] double own_answers(const std::string& status) const {
    return server_->metric("keystay_tlsd_own_answers_total{listener=\"https\",status=\"" + status + "\"}");
  }
  [[nodiscard]] bool nothing_left() const {
    return server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0);
  }

  LogCapture log_;
};

TEST_F(RedirectTest, SendsToTheSamePlaceByHttps) {
  serve_alone();
  const HttpResponse response = ask("GET /a/b?c=d HTTP/1.1\r\nHost: www.example:80\r\n\r\n");
  EXPECT_EQ(response.status, 301U);
  EXPECT_EQ(response.field("Location"), "https://www.example/a/b?c=d");
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(own_answers("301"), 1);
  EXPECT_TRUE(nothing_left());
}

TEST_F(RedirectTest, HasItsLinesInTheAccessLog) {
  const std::string file = (directory_.path() / "access.log").string();
  listener_.access_log.target = file;
  serve(TestBackend::hello());
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost: www.example\r\n\r\n").status, 301U);
  EXPECT_EQ(ask("GET /b HTTP/1.1\r\nHost: a@b\r\n\r\n").status, 400U);
  EXPECT_EQ(ask(kChallenge).status, 200U);
  server_.reset();
  std::ifstream log(file);
  const std::string lines{std::istreambuf_iterator<char>(log), {}};
  EXPECT_THAT(lines, HasSubstr("\"GET /a HTTP/1.1\" 301"));
  EXPECT_THAT(lines, HasSubstr("\"GET /b HTTP/1.1\" 400"));
  EXPECT_THAT(lines, HasSubstr("\"GET /.well-known/acme-challenge/abc HTTP/1.1\" 200"));
}

TEST_F(RedirectTest, NamesThePortThatTheFileNames) {
  listener_.redirect->port = 8443;
  serve_alone();
  EXPECT_EQ(ask("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").field("Location"), "https://[::1]:8443/");
}

TEST_F(RedirectTest, KeepsTheMethodOfOthersThanGetAndHead) {
  serve_alone();
  const HttpResponse head = ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", http::verb::head);
  EXPECT_EQ(head.status, 301U);
  const HttpResponse post =
      ask("POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  EXPECT_EQ(post.status, 308U);
  EXPECT_EQ(post.field("Location"), "https://a/form");
}

TEST_F(RedirectTest, TakesTheAuthorityOfAnAbsoluteTarget) {
  serve_alone();
  EXPECT_EQ(ask("GET http://www.example/a HTTP/1.1\r\nHost: other.example\r\n\r\n").field("Location"),
            "https://www.example/a");
}

struct BadRequest {
  const char* name;
  std::string bytes;
  unsigned status;
};
class BadRequestInClear : public RedirectTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestInClear, IsAnsweredWithAnErrorAndNoLocation) {
  listener_.request_head_timeout = 1s;
  serve_alone();
  RawSocket client = RawSocket::connect(server_->port());
  client.write(GetParam().bytes);
  const std::string answer = read_to_end(client);
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 " + std::to_string(GetParam().status)));
  EXPECT_THAT(answer, Not(HasSubstr("Location")));
  EXPECT_TRUE(log_.wait_for("request refused with " + std::to_string(GetParam().status))) << log_.text();
  EXPECT_TRUE(nothing_left());
}

const BadRequest kBadRequests[] = {
    {"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"no_host_in_1_0", "GET / HTTP/1.0\r\n\r\n", 400},
    {"empty_host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"host_with_user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
    {"host_with_escapes", "GET / HTTP/1.1\r\nHost: a%0d%0aSet-Cookie:x\r\n\r\n", 400},
    {"host_with_carriage_return", "GET / HTTP/1.1\r\nHost: a\rLocation: x\r\n\r\n", 400},
    {"target_with_line_feed", "GET /a\nX: y HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
    {"both_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"http_0_9", "GET /\r\n", 400},
    {"version_2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"too_large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", 431},
    {"too_late", "GET / HTTP/1.1\r\nHost: a\r\n", 408},
};
INSTANTIATE_TEST_SUITE_P(Shapes, BadRequestInClear, testing::ValuesIn(kBadRequests),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(RedirectTest, SaysThatTlsCameWhereThereIsNone) {
  serve_alone();
  RawSocket client = RawSocket::connect(server_->port());
  client.write(client_hello());
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_TRUE(log_.wait_for("TLS on a port that speaks HTTP in clear (redirect)")) << log_.text();
}

TEST_F(RedirectTest, PassesOnTheChallengesOfAcme) {
  serve(TestBackend::echo_head());
  const HttpResponse response = ask(kChallenge);
  EXPECT_EQ(response.status, 200U);
  EXPECT_THAT(response.body, HasSubstr("GET /.well-known/acme-challenge/abc HTTP/1.1\r\n"));
  EXPECT_THAT(response.body, HasSubstr("Host: www.example\r\n"));
  EXPECT_THAT(response.body, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(response.body, HasSubstr("X-Forwarded-Proto: http\r\n"));
  EXPECT_EQ(ask("GET /.well-known/other HTTP/1.1\r\nHost: a\r\n\r\n").status, 301U);
  EXPECT_EQ(ask("GET /.well-known/acme-challenge/../x HTTP/1.1\r\nHost: a\r\n\r\n").status, 301U);
  EXPECT_EQ(backend_->connections(), 1);
}

TEST_F(RedirectTest, PassesOnAChallengeWhoseLengthOnlyTheEndTells) {
  serve(TestBackend::answer_once("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nabc.thumbprint"));
  EXPECT_EQ(ask(kChallenge).body, "abc.thumbprint");
  RawSocket old = RawSocket::connect(server_->port());
  old.write("GET /.well-known/acme-challenge/abc HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_THAT(read_to_end(old), testing::EndsWith("\r\n\r\nabc.thumbprint"));
}

TEST_F(RedirectTest, AnswersForABackendOfChallengesThatDoesNot) {
  app_.response_head_timeout = 200ms;
  serve([](RawSocket& client) { read_to_end(client); });
  EXPECT_EQ(ask(kChallenge).status, 504U);
  serve(TestBackend::answer_once("SSH-2.0-x\r\n\r\n"));
  EXPECT_EQ(ask(kChallenge).status, 502U);
  EXPECT_TRUE(log_.wait_for("challenge of ACME answered with 504")) << log_.text();
  EXPECT_TRUE(log_.wait_for("challenge of ACME answered with 502")) << log_.text();
}

TEST_F(RedirectTest, AnswersForABackendOfChallengesThatIsDown) {
  serve(TestBackend::hello());
  backend_.reset();
  EXPECT_EQ(ask(kChallenge).status, 502U);
  EXPECT_EQ(ask(kChallenge).status, 502U);
  EXPECT_TRUE(log_.wait_for("challenge of ACME answered with 502")) << log_.text();
}

TEST_F(RedirectTest, ClosesItsSilentClientsAtAStop) {
  serve_alone();
  RawSocket client = RawSocket::connect(server_->port());
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 1));
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
  EXPECT_EQ(client.read_some(), "");
}

}  // namespace
}  // namespace keystay::test
