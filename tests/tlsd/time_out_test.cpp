// Each limit of time is one deadline, whatever trickles, and its end is the fault of the side that it waited
// for.
#include <future>
#include <string>
#include <thread>

#include <sys/socket.h>

#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr auto kBetweenPieces = 20ms;
constexpr int kMostPieces = 1000;  // 20 s, for those whom nobody ends

class TimeOutTest : public HttpTest {
 protected:
  double metric(const std::string& name) const { return server_->metric(name); }

  static TestBackend::Handler hang() {
    return [](RawSocket& client) { read_to_end(client); };
  }
  // Sends `head`, and then one byte after the other.
  static TestBackend::Handler trickle(std::string head, std::string piece) {
    return [head = std::move(head), piece = std::move(piece)](RawSocket& client) {
      read_until(client, "\r\n\r\n");
      if (!client.write(head)) return;
      for (int i = 0; i < kMostPieces && client.write(piece); ++i)
        std::this_thread::sleep_for(kBetweenPieces);
    };
  }
};

constexpr char kPost[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";

TEST_F(TimeOutTest, ABodyThatTricklesEndsAtTheRequestTimeout) {
  listener_.request_timeout = 300ms;
  serve(hang());
  TlsClient client = connect();
  client.write(kPost);
  int pieces = 0;
  while (pieces < kMostPieces && client.write("x")) {
    ++pieces;
    std::this_thread::sleep_for(kBetweenPieces);
  }
  EXPECT_LT(pieces, kMostPieces);
  EXPECT_EQ(metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})"), 1);
  EXPECT_EQ(metric(R"(keystay_tlsd_backend_faults_total{fault="timed_out",listener="https"})"), 0);
}

TEST_F(TimeOutTest, ChunksThatTrickleEndAtTheRequestTimeout) {
  listener_.request_timeout = 300ms;
  serve(hang());
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  int pieces = 0;
  while (pieces < kMostPieces && client.write("1\r\nx\r\n")) {
    ++pieces;
    std::this_thread::sleep_for(kBetweenPieces);
  }
  EXPECT_LT(pieces, kMostPieces);
  EXPECT_EQ(metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})"), 1);
}

TEST_F(TimeOutTest, AHeadThatTricklesEndsAtItsOwnTimeout) {
  listener_.request_head_timeout = 300ms;
  serve(hang());
  TlsClient client = connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  int pieces = 0;
  while (pieces < kMostPieces && client.write("x")) {
    ++pieces;
    std::this_thread::sleep_for(kBetweenPieces);
  }
  EXPECT_LT(pieces, kMostPieces);
  EXPECT_EQ(metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})"), 1);
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(TimeOutTest, TheTimeoutOfTheHeadDoesNotCutTheBody) {
  listener_.request_head_timeout = 200ms;
  app_.response_head_timeout = 200ms;
  serve(TestBackend::echo_head());
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nxx");
  std::this_thread::sleep_for(400ms);  // longer than the limit that must not count
  client.write("xx");
  EXPECT_EQ(read_response(client).status, 200U);
}

// The backend waits for the client as long as tlsd does.
TEST_F(TimeOutTest, AStalledUploadIsTheClientsFault) {
  listener_.stall_timeout = 300ms;
  app_.response_head_timeout = 100ms;
  app_.response_timeout = 100ms;
  serve(hang());
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(read_response(client).status, 408U);
  EXPECT_EQ(metric(R"(keystay_tlsd_backend_faults_total{fault="timed_out",listener="https"})"), 0);
  EXPECT_EQ(metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})"), 1);
}

// Each piece comes within stall-timeout, and the whole would within request-timeout.
TEST_F(TimeOutTest, AnUploadThatTricklesEndsByItsRate) {
  listener_.stall_timeout = 1s;
  listener_.min_body_rate = 10'000;
  serve(hang());
  const LogCapture log;
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  auto upload = std::async(std::launch::async, [&] {
    for (int i = 0; i < kMostPieces && client.write("x"); ++i) std::this_thread::sleep_for(kBetweenPieces);
  });
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})", 1));
  EXPECT_TRUE(log.wait_for(
      "request refused with 408: the request did not arrive in time (slower than min-body-rate)"));
  ::shutdown(client.socket().descriptor(), SHUT_RDWR);
  upload.wait();
}

TEST_F(TimeOutTest, AnUploadAtTheRateMayTakeAsLongAsItLikes) {
  listener_.stall_timeout = 1s;
  listener_.min_body_rate = 10;
  serve(TestBackend::echo_head());
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n");
  for (int i = 0; i < 100; ++i) {
    client.write("xx");
    std::this_thread::sleep_for(kBetweenPieces);
  }
  EXPECT_EQ(read_response(client).status, 200U);
}

// The wait for a backend is none for the client.
TEST_F(TimeOutTest, ASlowBackendIsNotTheRateOfTheClient) {
  listener_.stall_timeout = 1s;
  listener_.min_body_rate = 1'000'000'000;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 75\r\n\r\n");
    for (int i = 0; i < 75 && client.write("x"); ++i) std::this_thread::sleep_for(kBetweenPieces);
  });
  EXPECT_EQ(answer(kGet).body.size(), 75U);
}

TEST_F(TimeOutTest, AClientThatTakesAResponseTooSlowlyIsGivenUp) {
  listener_.stall_timeout = 1s;
  listener_.min_body_rate = 1'000'000'000;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (client.write(piece)) continue;
  });
  const LogCapture log;
  TlsClient client = connect();
  client.write(kGet);
  auto download = std::async(std::launch::async, [&] {
    while (!client.read_some().empty()) std::this_thread::sleep_for(5ms);
  });
  EXPECT_TRUE(log.wait_for("took a response more slowly than min-body-rate"));
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_responses_broken_total{by="client",listener="https"})", 1));
  ::shutdown(client.socket().descriptor(), SHUT_RDWR);
  download.wait();
}

TEST_F(TimeOutTest, ABackendThatTakesNoBodyIsAtFault) {
  listener_.stall_timeout = 300ms;
  std::promise<void> end;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    end.get_future().wait();  // reads no more
  });
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  auto upload = std::async(std::launch::async, [&] {
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < 900 && client.write(piece); ++i) continue;
  });
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_own_answers_total{listener="https",status="504"})", 1));
  EXPECT_EQ(metric(R"(keystay_tlsd_backend_faults_total{fault="timed_out",listener="https"})"), 1);
  end.set_value();
  ::shutdown(client.socket().descriptor(), SHUT_RDWR);
  upload.wait();
}

TEST_F(TimeOutTest, ABackendThatNeverAsksForTheBodyIsAtFault) {
  listener_.stall_timeout = 1h;
  app_.response_head_timeout = 200ms;
  serve(hang());
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(read_response(client).status, 504U);
}

TEST_F(TimeOutTest, AResponseHeadThatTricklesGives504) {
  app_.response_head_timeout = 300ms;
  serve(trickle("HTTP/1.1 200 OK\r\nX-Slow: ", "x"));
  EXPECT_EQ(answer(kGet).status, 504U);
}

TEST_F(TimeOutTest, InterimResponsesDoNotProlongTheWait) {
  app_.response_head_timeout = 300ms;
  serve(trickle("", "HTTP/1.1 102 Processing\r\n\r\n"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), HasSubstr("HTTP/1.1 504"));
}

TEST_F(TimeOutTest, AResponseBodyThatTricklesEndsAtTheResponseTimeout) {
  app_.response_timeout = 300ms;
  serve(trickle("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "x"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_LT(read_to_end(client).size(), 1000U);
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(server_->wait_for_metric(
      R"(keystay_tlsd_backend_faults_total{fault="broken_off",listener="https"})", 1));
  EXPECT_EQ(metric(R"(keystay_tlsd_requests_total{listener="https",status="2xx"})"), 0);
}

TEST_F(TimeOutTest, AResponseBodyThatStallsIsBrokenOff) {
  listener_.stall_timeout = 300ms;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    read_to_end(client);
  });
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), HasSubstr("half"));
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_EQ(metric(R"(keystay_tlsd_backend_faults_total{fault="broken_off",listener="https"})"), 1);
}

TEST_F(TimeOutTest, ABodyThatKeepsMovingMayTakeLongerThanTheStallTimeout) {
  listener_.stall_timeout = 1s;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n");
    for (int i = 0; i < 30 && client.write("x"); ++i) std::this_thread::sleep_for(50ms);
  });
  EXPECT_EQ(answer(kGet).body.size(), 30U);
}

}  // namespace
}  // namespace keystay::test
