// The reverse proxy: messages pass as RFC 9110 and RFC 9112 want it, in pieces, and failures have their
// answer.
#include "tests/tlsd/http_test.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <future>
#include <string>

#include "tests/support/process.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(HttpTest, KeepsConnectionsOnBothSides) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 5; ++i) {
    client.write(kGet);
    const HttpResponse response = read_response(client, rest);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "hello");
    EXPECT_TRUE(response.keep_alive);
  }
  EXPECT_EQ(backend_->connections(), 1);
}

TEST_F(HttpTest, AnswersPipelinedRequestsInTurn) {
  serve(TestBackend::echo_head());
  TlsClient client = connect();
  client.write(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: "
      "a\r\n\r\n");
  std::string rest;
  for (const std::string target : {"/1", "/2", "/3"}) {
    EXPECT_THAT(read_response(client, rest).body, StartsWith("GET " + target + " HTTP/1.1\r\n"));
  }
}

TEST_F(HttpTest, ClosesWhenTheClientAsksForIt) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  EXPECT_FALSE(send_request(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").keep_alive);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(HttpTest, TellsTheBackendWhereTheRequestComesFrom) {
  serve(TestBackend::echo_head());
  const std::string head = answer(
                               "GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For: 10.0.0.1\r\n"
                               "Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n\r\n")
                               .body;
  EXPECT_THAT(head,
              AllOf(StartsWith("GET /a?b HTTP/1.1\r\n"), HasSubstr("Host: example.com\r\n"),
                    HasSubstr("X-Forwarded-For: 10.0.0.1, 127.0.0.1\r\n"),
                    HasSubstr("X-Forwarded-Proto: https\r\n"), HasSubstr("Via: 1.1 keystay-tlsd\r\n"),
                    Not(HasSubstr("X-Secret")), Not(HasSubstr("Keep-Alive")), Not(HasSubstr("Connection"))));
}

TEST_F(HttpTest, RemovesHopByHopFieldsFromResponses) {
  serve(
      TestBackend::answer_once("HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nX-Kept: 2\r\n"
                               "Keep-Alive: 5\r\nContent-Length: 0\r\n\r\n"));
  const HttpResponse response = answer(kGet);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.field("X-Mine"), "");
  EXPECT_EQ(response.field("Keep-Alive"), "");
  EXPECT_EQ(response.field("X-Kept"), "2");
  EXPECT_TRUE(response.keep_alive);  // the backend's wish concerns the backend's connection
}

// Sends back the body of a request with Content-Length as it comes, in chunks.
void echo_in_chunks(RawSocket& client) {
  std::string rest = read_until(client, "\r\n\r\n");
  const auto length_at = rest.find("Content-Length: ");
  std::size_t left = length_at == std::string::npos ? 0 : std::stoul(rest.substr(length_at + 16));
  rest.erase(0, rest.find("\r\n\r\n") + 4);
  client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (left > 0) {
    if (rest.empty()) rest = client.read_some();
    if (rest.empty()) return;
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", rest.size());
    client.write(size.data() + rest + "\r\n");
    left -= rest.size();
    rest.clear();
  }
  client.write("0\r\n\r\n");
}

TEST_F(HttpTest, StreamsBodiesBothWaysAtOnce) {
  serve(echo_in_chunks);
  std::string body;
  for (int i = 0; i < 5'000'000; ++i) body += static_cast<char>('a' + i % 23);
  TlsClient client = connect();
  ASSERT_TRUE(client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                           "\r\n\r\n"));
  // One piece there, one piece back: nothing is held until the end.
  std::string rest;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  parser.eager(true);
  boost::system::error_code error;
  for (std::size_t offset = 0; offset < body.size(); offset += 100'000) {
    ASSERT_TRUE(client.write(std::string_view(body).substr(offset, 100'000)));
    while (parser.get().body().size() < offset + 100'000) {
      const std::string more = client.read_some();
      ASSERT_FALSE(more.empty()) << client.reason();
      rest += more;
      rest.erase(0, parser.put(boost::asio::buffer(rest), error));
      ASSERT_TRUE(!error || error == http::error::need_more) << error.message();
    }
  }
  EXPECT_EQ(parser.get().body(), body);
}

TEST_F(HttpTest, PassesChunkedRequestsOn) {
  serve([](RawSocket& client) {
    const std::string request = read_until(client, "0\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.size()) + "\r\n\r\n" +
                 request);
  });
  const std::string request = answer(
                                  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n")
                                  .body;
  EXPECT_THAT(request, AllOf(HasSubstr("Transfer-Encoding: chunked\r\n"), HasSubstr("hello"),
                             HasSubstr(" world"), Not(HasSubstr("ext=1")), Not(HasSubstr("X-Trailer"))));
}

TEST_F(HttpTest, PassesAPieceOnAsSoonAsItIsThere) {
  std::promise<void> seen;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    seen.get_future().wait();
    client.write("4\r\nlast\r\n0\r\n\r\n");
  });
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_until(client, "first"), HasSubstr("first"));
  seen.set_value();
  EXPECT_THAT(read_until(client, "0\r\n\r\n"), HasSubstr("last"));
}

TEST_F(HttpTest, PassesTheHeadOnBeforeTheBodyIsThere) {
  std::promise<void> seen;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    seen.get_future().wait();
    client.write("late");
  });
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_until(client, "\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  seen.set_value();
  EXPECT_EQ(read_until(client, "late"), "late");
}

TEST_F(HttpTest, AResponseThatEndsWithItsConnectionIsChunkedForTheClient) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
  TlsClient client = connect();
  const HttpResponse response = send_request(client, kGet);
  EXPECT_EQ(response.field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(response.body, "until the end");
  EXPECT_TRUE(response.keep_alive);
}

TEST_F(HttpTest, GivesAnHttp10ClientWhatItUnderstands) {
  serve(TestBackend::answer_once(
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\n"));
  TlsClient client = connect();
  client.write("GET / HTTP/1.0\r\n\r\n");
  const std::string response = read_to_end(client);
  EXPECT_THAT(response, AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("chunked")),
                              EndsWith("\r\n\r\nhello"), HasSubstr("Connection: close")));
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(HttpTest, KeepsAnHttp10ConnectionOnRequest) {
  serve(TestBackend::hello());
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 2; ++i) {
    client.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const HttpResponse response = read_response(client, rest);
    EXPECT_EQ(response.field("Connection"), "keep-alive");
    EXPECT_EQ(response.body, "hello");
  }
}

TEST_F(HttpTest, AResponseToHeadHasNoBody) {
  serve([](RawSocket& client) {
    while (!read_until(client, "\r\n\r\n").empty())
      client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  });
  TlsClient client = connect();
  std::string rest;
  for (int i = 0; i < 2; ++i) {
    client.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpResponse response = read_response(client, rest, http::verb::head);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.field("Content-Length"), "5");
  }
  EXPECT_EQ(backend_->connections(), 1);
}

TEST_F(HttpTest, SomeStatusesHaveNoBody) {
  for (const std::string status : {"204 No Content", "304 Not Modified"}) {
    serve([status](RawSocket& client) {
      while (!read_until(client, "\r\n\r\n").empty())
        client.write("HTTP/1.1 " + status + "\r\nETag: x\r\n\r\n");
    });
    TlsClient client = connect();
    std::string rest;
    for (int i = 0; i < 2; ++i) {
      client.write(kGet);
      const HttpResponse response = read_response(client, rest);
      EXPECT_EQ(response.status, std::stoul(status));
      EXPECT_EQ(response.field("ETag"), "x");
      EXPECT_TRUE(response.keep_alive);
    }
  }
}

TEST_F(HttpTest, PassesExpectAnd100Continue) {
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Expect: 100-continue\r\n"));
    client.write("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(read_until(client, "body"), "body");
    client.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_THAT(read_until(client, "\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  client.write("body");
  EXPECT_THAT(read_until(client, "\r\n\r\n"), StartsWith("HTTP/1.1 201"));
}

TEST_F(HttpTest, AnEarlyAnswerEndsTheUpload) {
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nbig");
    read_to_end(client);
  });
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nfirst");
  const HttpResponse response = read_response(client);
  EXPECT_EQ(response.status, 413U);
  EXPECT_EQ(response.body, "big");
  EXPECT_FALSE(response.keep_alive);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(HttpTest, ABackendThatIsDownGives502) {
  settings_.backends["app"].servers = {{"127.0.0.1", free_port()}};
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  const HttpResponse response = send_request(client, kGet);
  EXPECT_EQ(response.status, 502U);
  EXPECT_THAT(response.body, HasSubstr("cannot be reached"));
  EXPECT_EQ(server.metric(R"(keystay_tlsd_backend_faults_total{fault="unreachable",listener="https"})"), 1);
}

TEST_F(HttpTest, TriesTheNextServerWhenOneIsDown) {
  const TestBackend up(TestBackend::hello());
  settings_.backends["app"].servers = {{"127.0.0.1", free_port()}, {"127.0.0.1", up.port()}};
  TestServer server(settings_);
  for (int i = 0; i < 4; ++i) {
    TlsClient client(server.port());
    ASSERT_TRUE(client.handshake());
    EXPECT_EQ(send_request(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200U);
  }
}

TEST_F(HttpTest, ABackendThatDoesNotAnswerGives504) {
  app_.response_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  const HttpResponse response = answer(kGet);
  EXPECT_EQ(response.status, 504U);
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_backend_faults_total{fault="timed_out",listener="https"})"), 1);
}

TEST_F(HttpTest, ABackendThatClosesWithoutAnAnswerGives502) {
  serve([](RawSocket& client) { read_until(client, "\r\n\r\n"); });
  EXPECT_EQ(answer(kGet).status, 502U);
  EXPECT_EQ(answer("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx").status, 502U);
}

TEST_F(HttpTest, ABadResponseGives502) {
  for (const std::string response :
       {"not HTTP at all\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\n half a head"}) {
    serve(TestBackend::answer_once(response));
    EXPECT_EQ(answer(kGet).status, 502U) << response;
  }
}

TEST_F(HttpTest, AResponseThatBreaksOffIsSeenAsBroken) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), EndsWith("\r\n\r\nhalf"));
  EXPECT_FALSE(client.ended_in_order());
}

TEST_F(HttpTest, AChunkedResponseThatBreaksOffHasNoLastChunk) {
  serve(TestBackend::answer_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_THAT(read_to_end(client), AllOf(HasSubstr("half"), Not(EndsWith("0\r\n\r\n"))));
  EXPECT_FALSE(client.ended_in_order());
}

TEST_F(HttpTest, ARequestIsSentAgainIfTheIdleConnectionWasClosed) {
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

TEST_F(HttpTest, ARequestThatChangesSomethingIsSentOnceOnAFreshConnection) {
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

TEST_F(HttpTest, ASlowHeadGives408) {
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

TEST_F(HttpTest, ABodyThatStopsGives408) {
  listener_.request_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  TlsClient client = connect();
  client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(read_response(client).status, 408U);
  EXPECT_EQ(client.read_some(), "");
}

TEST_F(HttpTest, AnIdleConnectionIsClosedInOrder) {
  listener_.idle_timeout = 100ms;
  serve(TestBackend::hello());
  TlsClient client = connect();
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
}

TEST_F(HttpTest, AHeadAboveTheLimitGives431) {
  serve(TestBackend::hello());
  const std::string fits = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(16'000, 'x') + "\r\n\r\n";
  EXPECT_EQ(answer(fits).status, 200U);
  const std::string large = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";
  EXPECT_EQ(answer(large).status, 431U);
  EXPECT_EQ(answer("GET /" + std::string(20'000, 'x')).status, 431U);
}

TEST_F(HttpTest, WhatTheGateRefusesReachesNoBackend) {
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

TEST_F(HttpTest, ABodyThatIsNotProperlyChunkedGives400) {
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

TEST_F(HttpTest, AClientThatLeavesInTheMiddleOfAnUploadLeavesNothingBehind) {
  serve([](RawSocket& client) { read_to_end(client); });
  {
    TlsClient client = connect();
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  }
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(HttpTest, AClientThatDoesNotReadIsGivenUp) {
  app_.response_timeout = 200ms;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (client.write(piece)) continue;
  });
  TlsClient client = connect();
  client.write(kGet);
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 1));
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(HttpTest, TunnelsWebSocketAfter101) {
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    EXPECT_THAT(head, AllOf(HasSubstr("Connection: Upgrade\r\n"), HasSubstr("Upgrade: websocket\r\n"),
                            HasSubstr("Sec-WebSocket-Key: abc\r\n")));
    client.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    for (std::string data = client.read_some(); !data.empty(); data = client.read_some())
      client.write("<" + data + ">");
    client.write("bye");
  });
  TlsClient client = connect();
  client.write(
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
      "abc\r\n\r\n");
  EXPECT_THAT(
      read_until(client, "early"),
      AllOf(StartsWith("HTTP/1.1 101"), HasSubstr("Upgrade: websocket\r\n"), EndsWith("\r\n\r\nearly")));
  client.write("frame");
  EXPECT_EQ(read_until(client, ">"), "<frame>");
  client.send_close_notify();  // half-close: what the backend still sends arrives
  EXPECT_EQ(read_to_end(client), "bye");
  EXPECT_TRUE(client.ended_in_order());
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(HttpTest, ATunnelThatIsIdleEnds) {
  listener_.idle_timeout = 200ms;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    read_to_end(client);
  });
  TlsClient client = connect();
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_THAT(read_to_end(client), StartsWith("HTTP/1.1 101"));
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 0));
}

TEST_F(HttpTest, ARefusedUpgradeIsAnOrdinaryResponse) {
  serve(TestBackend::hello("no"));
  TlsClient client = connect();
  const HttpResponse response =
      send_request(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, "no");
}

}  // namespace
}  // namespace keystay::test
