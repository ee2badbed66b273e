// The reverse proxy: messages pass as RFC 9110 and RFC 9112 want it, in pieces, and failures have their
// answer.
#include "tests/tlsd/http_test.h"

#include <array>
#include <cstdio>
#include <future>
#include <string>

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

}  // namespace
}  // namespace keystay::test
