// A failure is visible where the operator looks: one line of the log with its reason, and one metric.
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "tests/support/process.h"
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class VisibleFailureTest : public HttpTest {
 protected:
  double faults(const std::string& fault) const {
    return server_->metric("keystay_tlsd_backend_faults_total{fault=\"" + fault + "\",listener=\"https\"}");
  }
  double broken(const std::string& by) const {
    return server_->metric("keystay_tlsd_responses_broken_total{by=\"" + by + "\",listener=\"https\"}");
  }
  double requests(const std::string& status) const {
    return server_->metric("keystay_tlsd_requests_total{listener=\"https\",status=\"" + status + "\"}");
  }

  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  LogCapture log_;
};

struct BackendCase {
  const char* name;
  TestBackend::Handler handler;
  unsigned status;
  const char* fault;
  const char* reason;
};

class BackendThatFails : public VisibleFailureTest, public testing::WithParamInterface<BackendCase> {};

TEST_P(BackendThatFails, IsALineAndAMetric) {
  if (GetParam().status == 504)
    app_.response_head_timeout = 200ms;  // the others are not late, only slow on a busy machine
  serve(GetParam().handler);
  EXPECT_EQ(answer(kGet).status, GetParam().status);
  const std::string line = "GET answered with " + std::to_string(GetParam().status) +
                           ": backend app, 127.0.0.1:" + std::to_string(backend_->port()) + ": ";
  EXPECT_EQ(log_.count(line), 1) << log_.text();
  EXPECT_THAT(log_.text(), HasSubstr(GetParam().reason));
  EXPECT_EQ(faults(GetParam().fault), 1);
  EXPECT_EQ(server_->metric("keystay_tlsd_own_answers_total{listener=\"https\",status=\"" +
                            std::to_string(GetParam().status) + "\"}"),
            1);
  EXPECT_EQ(requests("5xx"), 1);
  EXPECT_EQ(requests("2xx"), 0);
}

const std::string kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const BackendCase kBackendCases[] = {
    {"closes", [](RawSocket& client) { read_until(client, "\r\n\r\n"); }, 502, "closed", "End of file"},
    {"resets",
     [](RawSocket& client) {
       read_until(client, "\r\n\r\n");
       client.reset();
     },
     502, "closed", "Connection reset by peer"},
    {"hangs", [](RawSocket& client) { read_to_end(client); }, 504, "timed_out", "did not answer in time"},
    {"babbles", TestBackend::answer_once("SSH-2.0-OpenSSH_9.2\r\n\r\n"), 502, "bad_response",
     "bad response ("},
    {"babbles_and_waits",
     [](RawSocket& client) {
       client.write("SSH-2.0-OpenSSH_9.2\r\n");
       read_to_end(client);
     },
     502, "bad_response", "not HTTP/1.x"},
    {"ends_lines_without_carriage_return_and_waits",
     [](RawSocket& client) {
       client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\n");
       read_to_end(client);
     },
     502, "bad_response", "does not end in CR LF"},
    {"breaks_off_in_its_head", TestBackend::answer_once("HTTP/1.1 200 OK\r\nContent-"), 502, "bad_response",
     "End of file"},
    {"has_a_head_without_end", TestBackend::answer_once("HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x')),
     502, "bad_response", "64 KiB"},
    {"switches_unasked", TestBackend::answer_once("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 502,
     "bad_response", "did not ask for"},
    {"has_a_chunk_extension_of_20_KB",
     TestBackend::answer_once(kChunkedHead + "5;a=" + std::string(20'000, 'b') + "\r\nhello\r\n0\r\n\r\n"),
     502, "bad_response", "bad response (the chunk extensions exceed 16 KiB)"},
    {"has_a_chunk_extension_without_end",
     TestBackend::answer_once(kChunkedHead + "5;a=" + std::string(200'000, 'b')), 502, "bad_response",
     "bad response (the line of a chunk exceeds 64 KiB)"},
    {"has_a_trailer_of_20_KB",
     TestBackend::answer_once(kChunkedHead + "0\r\nX: " + std::string(20'000, 'y') + "\r\n\r\n"), 502,
     "bad_response", "bad response (the trailer section is too large, or has too many fields)"},
    {"has_a_trailer_without_end",
     TestBackend::answer_once(kChunkedHead + "0\r\nX: " + std::string(200'000, 'y')), 502, "bad_response",
     "bad response (the trailer section is too large, or has too many fields)"},
};
INSTANTIATE_TEST_SUITE_P(Backend, BackendThatFails, testing::ValuesIn(kBackendCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(VisibleFailureTest, ADeathInMidBodyIsNoSuccess) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  TlsClient client = connect();
  client.write(kGet);
  read_to_end(client);
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(log_.wait_for("response to GET broken off: backend app, 127.0.0.1:")) << log_.text();
  EXPECT_EQ(requests("2xx"), 0);
  EXPECT_EQ(broken("backend"), 1);
  EXPECT_EQ(faults("broken_off"), 1);
}

TEST_F(VisibleFailureTest, ATrailerThatIsTooLongIsNamedInMidBody) {
  serve(TestBackend::answer_once(kChunkedHead + "5\r\nhello\r\n0\r\nX: " + std::string(200'000, 'y')));
  TlsClient client = connect();
  client.write(kGet);
  read_to_end(client);
  EXPECT_TRUE(log_.wait_for("broken off: backend app, 127.0.0.1:")) << log_.text();
  EXPECT_THAT(log_.text(), HasSubstr(": the trailer section is too large, or has too many fields"));
}

TEST_F(VisibleFailureTest, ARequestWithTooManyChunkExtensionsIsToldWhichLimit) {
  serve([](RawSocket& client) { read_to_end(client); });
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=" +
                   std::string(20'000, 'b') + "\r\nhello\r\n0\r\n\r\n")
                .status,
            400U);
  EXPECT_THAT(log_.text(), HasSubstr("(the chunk extensions exceed 16 KiB)"));
}

TEST_F(VisibleFailureTest, AClientThatLeavesInMidBodyIsNoFaultOfTheBackend) {
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (client.write(piece)) continue;
  });
  {
    TlsClient client = connect();
    client.write(kGet);
    EXPECT_NE(client.read_some(), "");
  }
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_responses_broken_total{by="client",listener="https"})", 1));
  EXPECT_EQ(faults("broken_off"), 0);
  EXPECT_EQ(requests("2xx"), 0);
}

TEST_F(VisibleFailureTest, ACompleteResponseIsCountedOnce) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 3; ++i) {
    client.write(kGet);
    EXPECT_EQ(read_response(client, rest).status, 200U);
  }
  client.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  read_until(client, "\r\n\r\n");
  EXPECT_EQ(requests("2xx"), 4);
  EXPECT_EQ(log_.count("warning:"), 0) << log_.text();
}

TEST_F(VisibleFailureTest, ARefusedRequestIsALineAndAMetric) {
  serve(TestBackend::hello());
  EXPECT_EQ(answer("GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n").status, 400U);
  EXPECT_EQ(log_.count("request refused with 400: "), 1) << log_.text();
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_own_answers_total{listener="https",status="400"})"), 1);
  EXPECT_EQ(requests("4xx"), 1);
}

TEST_F(VisibleFailureTest, ADeadServerOfSeveralIsALineAndAMetric) {
  const TestBackend up(TestBackend::hello());
  const auto port = free_port();
  const std::string dead = "127.0.0.1:" + std::to_string(port);
  settings_.backends["app"].servers = {{"127.0.0.1", port}, {"127.0.0.1", up.port()}};
  TestServer server(settings_);
  const auto get = [&] {
    TlsClient client(server.port());
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(send_request(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status, 200U);
  };
  const std::string labels = "{backend=\"app\",server=\"" + dead + "\"}";
  EXPECT_EQ(server.metric("keystay_tlsd_backend_server_up" + labels), 1);
  for (int i = 0; i < 12; ++i) get();
  EXPECT_EQ(log_.count("backend app: server " + dead + " cannot be reached: Connection refused"), 1)
      << log_.text();
  EXPECT_GE(server.metric("keystay_tlsd_backend_connect_failures_total" + labels), 1);
  EXPECT_EQ(server.metric("keystay_tlsd_backend_server_up" + labels), 0);
  EXPECT_EQ(server.metric("keystay_tlsd_backend_server_up{backend=\"app\",server=\"127.0.0.1:" +
                          std::to_string(up.port()) + "\"}"),
            1);
}

TEST_F(VisibleFailureTest, AServerThatIsBackIsALineAndAMetric) {
  const auto port = free_port();
  settings_.backends["app"].servers = {{"127.0.0.1", port}};
  server_ = std::make_unique<TestServer>(settings_);
  const std::string name = "127.0.0.1:" + std::to_string(port);
  const std::string up = "keystay_tlsd_backend_server_up{backend=\"app\",server=\"" + name + "\"}";
  EXPECT_EQ(answer(kGet).status, 502U);
  EXPECT_EQ(server_->metric(up), 0);
  EXPECT_EQ(log_.count("reached again"), 0) << log_.text();
  const TestBackend back(TestBackend::hello(), port);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer(kGet).status, 200U);
  EXPECT_EQ(log_.count("info: backend app: server " + name + " is reached again"), 1) << log_.text();
  EXPECT_EQ(server_->metric(up), 1);
}

TEST_F(VisibleFailureTest, MaxConnectionsIsALineAndAMetric) {
  listener_.max_connections = 2;
  serve(TestBackend::hello());
  TlsClient first = connect();
  auto second = std::make_unique<TlsClient>(connect());
  std::vector<RawSocket> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(RawSocket::connect(server_->port()));
  EXPECT_TRUE(log_.wait_for("warning: listener https: max-connections = 2 is reached")) << log_.text();
  EXPECT_EQ(log_.count("max-connections"), 1) << log_.text();
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_connection_limit_reached_total{listener="https"})"), 1);
}

TEST_F(VisibleFailureTest, IdleClientsOfTheAdministratorsListenerBlockNobody) {
  serve(TestBackend::hello());
  std::vector<RawSocket> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(RawSocket::connect(server_->admin_port()));
    if (i % 2 == 0) idle.back().write("GET /health HTTP/1.1\r\nHost:");  // and no more
  }
  for (int i = 0; i < 3; ++i) {
    RawSocket client = RawSocket::connect(server_->admin_port());
    EXPECT_EQ(send_request(client, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n").status, 204U);
  }
}

}  // namespace
}  // namespace keystay::test
