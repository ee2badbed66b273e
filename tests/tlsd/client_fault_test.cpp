// Clients that are slow, malformed or gone: each is refused by name or given up, and keeps nothing.
#include <string>

#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;

class ClientFaultTest : public HttpTest {};

TEST_F(ClientFaultTest, ASlowHeadGives408) {
  listener_.request_timeout = 100ms;
  serve(TestBackend::hello());
  TlsClient client = connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  const HttpResponse response = read_response(client);
  EXPECT_EQ(response.status, 408U);
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(ClientFaultTest, ABodyThatStopsGives408) {
  listener_.request_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(read_response(client).status, 408U);
  EXPECT_EQ(client.read_some(), "");
}

TEST_F(ClientFaultTest, AnIdleConnectionIsClosedInOrder) {
  listener_.idle_timeout = 1s;
  serve(TestBackend::hello());
  TlsClient client = connect();
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
}

// What it sends is read and dropped for a while, lest a reset destroy the answer, and not for ever.
TEST_F(ClientFaultTest, ARefusedClientThatGoesOnSendingIsCutOff) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  client.write("nonsense\r\n\r\n");
  const std::string more(16'384, 'x');
  const auto limit = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < limit && client.socket().write(more)) {
  }
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
  EXPECT_LT(std::chrono::steady_clock::now(), limit) << "it is read for ever";
}

TEST_F(ClientFaultTest, AHeadAboveTheLimitGives431) {
  serve(TestBackend::hello());
  const std::string fits = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(16'000, 'x') + "\r\n\r\n";
  EXPECT_EQ(answer(fits).status, 200U);
  const std::string large = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";
  EXPECT_EQ(answer(large).status, 431U);
  EXPECT_EQ(answer("GET /" + std::string(20'000, 'x')).status, 431U);
}

TEST_F(ClientFaultTest, WhatTheGateRefusesReachesNoBackend) {
  serve(TestBackend::hello());
  for (const std::string request :
       {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"}) {
    TlsClient client = connect();
    const HttpResponse response = send_request(client, request);
    EXPECT_EQ(response.status, 400U) << request;
    EXPECT_FALSE(response.keep_alive);
    EXPECT_EQ(client.read_some(), "") << "a smuggled request was answered";
  }
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(ClientFaultTest, ABodyThatIsNotProperlyChunkedGives400) {
  serve([](RawSocket& client) { read_to_end(client); });
  for (const std::string body :
       {"xyz\r\nhello\r\n", "5\r\nhelloX\r\n5\r\n", "-1\r\n\r\n", "fffffffffffffffff\r\n",
        "0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    TlsClient client = connect();
    EXPECT_EQ(send_request(client, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
                  .status,
              400U)
        << body;
    EXPECT_EQ(client.read_some(), "");
  }
}

TEST_F(ClientFaultTest, ATrailerOfAnySizeEndsItsConnectionOnly) {
  serve([](RawSocket& client) {
    if (read_until(client, "\r\n\r\n").starts_with("GET")) {
      client.write("HTTP/1.1 204 No Content\r\n\r\n");
    } else {
      read_to_end(client);
    }
  });
  for (const std::size_t size : {20'000U, 64'000U, 65'536U, 200'000U, 5'000'000U}) {
    TlsClient client = connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " +
                 std::string(size, 'x') + "\r\n\r\n");
    EXPECT_EQ(read_response(client).status, 400U) << size;
    EXPECT_EQ(answer(kGet).status, 204U) << size;
  }
}

TEST_F(ClientFaultTest, AClientThatLeavesInTheMiddleOfAnUploadLeavesNothingBehind) {
  serve([](RawSocket& client) { read_to_end(client); });
  {
    TlsClient client = connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  }
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(ClientFaultTest, AClientThatDoesNotReadIsGivenUp) {
  listener_.stall_timeout = 200ms;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (client.write(piece)) continue;
  });
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

}  // namespace
}  // namespace keystay::test
