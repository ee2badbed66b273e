// Which of several servers gets a request: by turns or by what is in flight, and by their health.
#include <atomic>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;

// Like TestBackend::hello, and /healthz tells whether it is well.
TestBackend::Handler patient(std::string body, const std::atomic<bool>& well) {
  return [body = std::move(body), &well](RawSocket& client) {
    for (;;) {
      const std::string head = read_until(client, "\r\n\r\n");
      if (head.empty()) return;
      const bool ill = head.starts_with("GET /healthz ") && !well;
      client.write(fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}",
                               ill ? "503 Service Unavailable" : "200 OK", body.size(), body));
    }
  };
}

class SeveralServersTest : public HttpTest {
 protected:
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  void serve_by(std::initializer_list<const TestBackend*> backends) {
    app_.servers.clear();
    for (const TestBackend* backend : backends) app_.servers.emplace_back("127.0.0.1", backend->port());
    server_ = std::make_unique<TestServer>(settings_);
  }
  // The bodies of the responses to so many requests on one connection.
  [[nodiscard]] std::vector<std::string> bodies(int requests) const {
    TlsClient client = connect();
    std::vector<std::string> result;
    for (int i = 0; i < requests; ++i) result.push_back(send_request(client, kGet).body);
    return result;
  }
  [[nodiscard]] bool wait_until_up(const TestBackend& backend, double up) const {
    return server_->wait_for_metric(
        fmt::format("keystay_tlsd_backend_server_up{{backend=\"app\",server=\"127.0.0.1:{}\"}}",
                    backend.port()),
        up);
  }
  static config::HealthCheck check(std::string path) { return {std::move(path), 20ms, 20s, 2, 2}; }

  LogCapture log_;
};

TEST_F(SeveralServersTest, TakeTheirTurnsRequestByRequest) {
  const TestBackend a(TestBackend::hello("a"));
  const TestBackend b(TestBackend::hello("b"));
  serve_by({&a, &b});
  EXPECT_THAT(bodies(4), testing::AnyOf(testing::ElementsAre("a", "b", "a", "b"),
                                        testing::ElementsAre("b", "a", "b", "a")));
  EXPECT_EQ(a.connections(), 1) << "connections stay open from turn to turn";
  EXPECT_EQ(b.connections(), 1);
}

TEST_F(SeveralServersTest, TheOneWithTheFewestInFlightIsTaken) {
  std::promise<void> answer;
  const auto answered = answer.get_future().share();
  std::atomic<int> held = 0;
  const auto hold_first = [&, answered](RawSocket& client) {
    if (held++ == 0) {
      read_until(client, "\r\n\r\n");
      answered.wait();
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nheld");
    }
    TestBackend::hello("free")(client);
  };
  const TestBackend a(hold_first);
  const TestBackend b(hold_first);
  app_.balance = config::Balance::least_connections;
  serve_by({&a, &b});
  TlsClient waiting = connect();
  waiting.write(kGet);
  while (held == 0) std::this_thread::sleep_for(2ms);
  EXPECT_THAT(bodies(6), testing::Each("free"));
  EXPECT_EQ(held, 2) << "each of the six went to the other server";
  answer.set_value();
  EXPECT_EQ(read_response(waiting).body, "held");
}

TEST_F(SeveralServersTest, OneWhoseChecksFailGetsNothingUntilTheySucceed) {
  std::atomic<bool> a_well = false;
  const std::atomic<bool> b_well = true;
  const TestBackend a(patient("a", a_well));
  const TestBackend b(patient("b", b_well));
  app_.health_check = check("/healthz");
  serve_by({&a, &b});
  ASSERT_TRUE(wait_until_up(a, 0));
  EXPECT_THAT(bodies(4), testing::Each("b"));
  EXPECT_TRUE(
      log_.wait_for(fmt::format("backend app: server 127.0.0.1:{} is out of service, its health check "
                                "failed: it answered with 503 Service Unavailable",
                                a.port())));
  a_well = true;
  ASSERT_TRUE(wait_until_up(a, 1));
  EXPECT_THAT(bodies(4), testing::Contains("a"));
  EXPECT_TRUE(log_.wait_for(fmt::format("server 127.0.0.1:{} is in service again", a.port())));
}

TEST_F(SeveralServersTest, WithoutOneInServiceTheAnswerIs503) {
  std::atomic<bool> well = false;
  const TestBackend a(patient("a", well));
  app_.health_check = check("/healthz");
  serve_by({&a});
  ASSERT_TRUE(wait_until_up(a, 0));
  EXPECT_EQ(answer(kGet).status, 503U);
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_backend_faults_total{fault="no_server",listener="https"})"), 1);
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_own_answers_total{listener="https",status="503"})"), 1);
  EXPECT_TRUE(log_.wait_for("GET answered with 503: backend app: no server behind this one is in service"));
  well = true;
  ASSERT_TRUE(wait_until_up(a, 1));
  EXPECT_EQ(answer(kGet).body, "a");
}

TEST_F(SeveralServersTest, AConnectionIsCheckEnoughWhereThereIsNoPath) {
  auto a = std::make_unique<TestBackend>(TestBackend::hello("a"));
  const TestBackend b(TestBackend::hello("b"));
  const std::uint16_t port = a->port();
  listener_.mode = config::ListenerMode::tcp;
  app_.health_check = check({});
  serve_by({a.get(), &b});
  ASSERT_TRUE(wait_until_up(*a, 1));
  const std::string up =
      fmt::format("keystay_tlsd_backend_server_up{{backend=\"app\",server=\"127.0.0.1:{}\"}}", port);
  a.reset();
  ASSERT_TRUE(server_->wait_for_metric(up, 0));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(answer(kGet).body, "b");
  const TestBackend again(TestBackend::hello("a"), port);
  ASSERT_TRUE(server_->wait_for_metric(up, 1));
}

TEST_F(SeveralServersTest, AClientOfModeTcpIsSentAwayWithoutOneInService) {
  std::atomic<bool> well = false;
  const TestBackend a(patient("a", well));
  listener_.mode = config::ListenerMode::tcp;
  app_.health_check = check("/healthz");
  serve_by({&a});
  ASSERT_TRUE(wait_until_up(a, 0));
  TlsClient client = connect();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(
      log_.wait_for("connection given up: backend app cannot be reached: none of its servers is in service"));
}

TEST_F(SeveralServersTest, AServerOfAnotherProtocolFailsItsCheck) {
  const TestBackend a([](RawSocket& client) { client.write("220 mail.example ESMTP\r\n"); });
  app_.health_check = check("/");
  serve_by({&a});
  ASSERT_TRUE(wait_until_up(a, 0));
  EXPECT_TRUE(log_.wait_for("it answered with other than HTTP/1.1"));
}

TEST_F(SeveralServersTest, AReloadWithoutChecksBringsAllIntoService) {
  const std::atomic<bool> well = false;
  const TestBackend a(patient("a", well));
  app_.health_check = check("/healthz");
  app_.servers = {{"127.0.0.1", a.port()}};
  config::TlsdSettings next = settings_;
  next.backends["app"].health_check.reset();
  server_ = std::make_unique<TestServer>(settings_, [next] { return next; });
  ASSERT_TRUE(wait_until_up(a, 0));
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  ASSERT_TRUE(wait_until_up(a, 1));
  EXPECT_EQ(answer(kGet).body, "a");
}

TEST_F(SeveralServersTest, AReloadThatLeavesABackendAsItIsKeepsWhatIsKnown) {
  const std::atomic<bool> well = false;
  const TestBackend a(patient("a", well));
  app_.health_check = check("/healthz");
  app_.servers = {{"127.0.0.1", a.port()}};
  server_ = std::make_unique<TestServer>(settings_, [settings = settings_] { return settings; });
  ASSERT_TRUE(wait_until_up(a, 0));
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  EXPECT_EQ(answer(kGet).status, 503U);
}

TEST_F(SeveralServersTest, AreFoundByAName) {
  const TestBackend a(TestBackend::hello("a"));
  app_.servers = {*config::ServerAddress::parse("localhost:" + std::to_string(a.port()))};
  server_ = std::make_unique<TestServer>(settings_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer(kGet).body, "a");
  EXPECT_EQ(
      server_->metric(fmt::format(
          "keystay_tlsd_backend_server_up{{backend=\"app\",server=\"localhost:{} (127.0.0.1)\"}}", a.port())),
      1);
}

TEST_F(SeveralServersTest, ANameThatNobodyKnowsEndsTheStart) {
  app_.servers = {*config::ServerAddress::parse("nobody.invalid:80")};
  try {
    const TestServer server(settings_);
    ADD_FAILURE() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(),
                testing::StartsWith("backend app: server nobody.invalid:80 cannot be resolved: "));
  }
}

TEST_F(SeveralServersTest, ADegradedStartDoesWithoutANameThatNobodyKnows) {
  settings_.start = config::Start::degraded;
  app_.servers = {*config::ServerAddress::parse("nobody.invalid:80")};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_TRUE(log_.wait_for("server nobody.invalid:80 cannot be resolved"));
  EXPECT_EQ(answer(kGet).status, 503U);
}

}  // namespace
}  // namespace keystay::test
