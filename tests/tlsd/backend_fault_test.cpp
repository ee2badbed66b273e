// A backend that is down, slow, or breaks off: the client gets an answer, or sees that it is incomplete.
#include <atomic>
#include <string>

#include "tests/support/process.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class BackendFaultTest : public HttpTest {};

TEST_F(BackendFaultTest, ABackendThatIsDownGives502) {
  settings_.backends["app"].servers = {{"127.0.0.1", free_port()}};
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  const HttpResponse response = send_request(client, kGet);
  EXPECT_EQ(response.status, 502U);
  EXPECT_THAT(response.body, HasSubstr("cannot be reached"));
  EXPECT_EQ(server.metric(R"(keystay_tlsd_backend_faults_total{fault="unreachable",listener="https"})"), 1);
}

TEST_F(BackendFaultTest, TriesTheNextServerWhenOneIsDown) {
  const TestBackend up(TestBackend::hello());
  settings_.backends["app"].servers = {{"127.0.0.1", free_port()}, {"127.0.0.1", up.port()}};
  TestServer server(settings_);
  for (int i = 0; i < 4; ++i) {
    TlsClient client(server.port());
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(send_request(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200U);
  }
}

TEST_F(BackendFaultTest, ABackendThatDoesNotAnswerGives504) {
  app_.response_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  const HttpResponse response = answer(kGet);
  EXPECT_EQ(response.status, 504U);
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_backend_faults_total{fault="timed_out",listener="https"})"), 1);
}

TEST_F(BackendFaultTest, ABackendThatClosesWithoutAnAnswerGives502) {
  serve([](RawSocket& client) { read_until(client, "\r\n\r\n"); });
  EXPECT_EQ(answer(kGet).status, 502U);
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx").status, 502U);
}

TEST_F(BackendFaultTest, ABadResponseGives502) {
  for (const std::string response :
       {"not HTTP at all\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\n half a head"}) {
    serve(TestBackend::answer_once(response));
    EXPECT_EQ(answer(kGet).status, 502U) << response;
  }
}

TEST_F(BackendFaultTest, AResponseThatBreaksOffIsSeenAsBroken) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), EndsWith("\r\n\r\nhalf"));
  EXPECT_FALSE(client.ended_in_order());
}

TEST_F(BackendFaultTest, AChunkedResponseThatBreaksOffHasNoLastChunk) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), AllOf(HasSubstr("half"), Not(EndsWith("0\r\n\r\n"))));
  EXPECT_FALSE(client.ended_in_order());
}

TEST_F(BackendFaultTest, ATrailerOfAnySizeEndsItsConnectionOnly) {
  for (const std::size_t size : {20'000U, 64'000U, 65'536U, 200'000U, 5'000'000U}) {
    serve([size](RawSocket& client) {
      const bool babbles = read_until(client, "\r\n\r\n").starts_with("GET /babble");
      client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n");
      client.write(babbles ? "X: " + std::string(size, 'x') + "\r\n\r\n" : "\r\n");
    });
    TlsClient client = connect();
    client.write("GET /babble HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(read_to_end(client), Not(EndsWith("0\r\n\r\n")));
    EXPECT_FALSE(client.ended_in_order());
    EXPECT_EQ(answer(kGet).body, "ok") << size;
  }
}

TEST_F(BackendFaultTest, TrailerFieldsAreNoFieldsOfTheHead) {
  serve(
      TestBackend::answer_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "0\r\nSet-Cookie: a=b\r\n\r\n"));
  const HttpResponse response = answer(kGet);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.field("Set-Cookie"), "");
}

TEST_F(BackendFaultTest, ARequestIsSentAgainIfTheIdleConnectionWasClosed) {
  // Answers one request per connection and closes at the second, as a server does whose idle time is over
  // just then.
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    read_until(client, "\r\n\r\n");
  });
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 3; ++i) {
    client.write(kGet);
    EXPECT_EQ(read_response(client, rest).body, "ok");
  }
  EXPECT_EQ(backend_->connections(), 3);
}

TEST_F(BackendFaultTest, ARequestThatChangesSomethingIsSentOnceOnAFreshConnection) {
  std::atomic<int> posts = 0;
  serve([&](RawSocket& client) {
    for (std::string head = read_until(client, "\r\n\r\n"); !head.empty();
         head = read_until(client, "\r\n\r\n")) {
      if (head.starts_with("POST") && ++posts > 0) return;
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  });
  TlsClient client = connect();
  std::string rest;
  client.write(kGet);
  EXPECT_EQ(read_response(client, rest).body, "ok");
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(read_response(client, rest).status, 502U);
  EXPECT_EQ(posts, 1);
  EXPECT_EQ(backend_->connections(), 2);
}

}  // namespace
}  // namespace keystay::test
