// HTTP/2 to clients, HTTP/1.1 to the backend: what passes, both ways.
#include "tests/tlsd/http2_test.h"

#include <atomic>
#include <string>

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string agreed_protocol(TlsClient& client) {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(client.ssl(), &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

// A request with its body as the backend gets it: head, and what follows up to `end`.
std::string read_upload(RawSocket& client, std::string_view end) {
  std::string text = read_until(client, "\r\n\r\n");
  if (!text.ends_with(end)) text += read_until(client, end);
  return text;
}

TEST_F(Http2Test, IsAgreedOnWhereTheClientPrefersItOrNot) {
  serve(TestBackend::hello());
  for (const char* offered : {"\x02h2\x08http/1.1", "\x08http/1.1\x02h2"}) {
    TlsClient client(server_->port(), {.protocols = offered});
    ASSERT_TRUE(client.handshake()) << client.reason();
    EXPECT_EQ(agreed_protocol(client), "h2");
  }
  TlsClient old(server_->port(), {.protocols = "\x08http/1.1"});
  ASSERT_TRUE(old.handshake()) << old.reason();
  EXPECT_EQ(send_request(old, kGet).body, "hello");
}

TEST_F(Http2Test, IsNotOfferedWhereTheListenerSaysSo) {
  listener_.http2 = false;
  serve(TestBackend::hello());
  TlsClient client(server_->port(), {.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_EQ(agreed_protocol(client), "http/1.1");
  EXPECT_EQ(send_request(client, kGet).body, "hello");
}

TEST_F(Http2Test, ARequestReachesTheBackendAsOneOfHttp11) {
  serve(TestBackend::echo_head());
  Http2Client client(server_->port());
  const Response2 response = client.get("/a?b=c", {{"cookie", "a=1"},
                                                   {"x-mine", "1"},
                                                   {"x-real-ip", "10.0.0.1"},
                                                   {"x-forwarded-for", "192.0.2.1"},
                                                   {"te", "trailers"},
                                                   {"cookie", "b=2"}});
  EXPECT_EQ(response.status, 200U);
  EXPECT_TRUE(response.complete);
  EXPECT_THAT(response.body, StartsWith("GET /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(
      response.body,
      AllOf(HasSubstr("host: localhost\r\n"), HasSubstr("x-mine: 1\r\n"), HasSubstr("cookie: a=1; b=2\r\n"),
            HasSubstr("Via: 2.0 keystay-tlsd\r\n"), HasSubstr("X-Forwarded-Proto: https\r\n"),
            HasSubstr("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n"), Not(HasSubstr("x-real-ip")),
            Not(HasSubstr("te:")), Not(HasSubstr("transfer-encoding"))));
}

TEST_F(Http2Test, AResponseComesWithoutTheFieldsOfAConnection) {
  serve(TestBackend::answer_once(
      "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Kept: yes\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
  Http2Client client(server_->port());
  const Response2 response = client.get();
  EXPECT_THAT(response.fields, ElementsAre(std::pair(":status", "200"), std::pair("x-kept", "yes")));
  EXPECT_EQ(response.body, "hello");
  EXPECT_TRUE(response.complete);
}

TEST_F(Http2Test, ResponsesWithoutBodyEndWithTheirHead) {
  serve([](RawSocket& client) {
    for (std::string head = read_until(client, "\r\n\r\n"); !head.empty();
         head = read_until(client, "\r\n\r\n")) {
      const bool empty = head.starts_with("GET /204");
      client.write(empty ? "HTTP/1.1 204 No Content\r\n\r\n"
                         : "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
    }
  });
  Http2Client client(server_->port());
  EXPECT_EQ(client.get("/204").status, 204U);
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("HEAD")));
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.fields.at("content-length"), "7");
  EXPECT_TRUE(response.complete);
}

TEST_F(Http2Test, ABodyKeepsItsLength) {
  serve([](RawSocket& client) {
    const std::string request = read_upload(client, "hello world");
    EXPECT_THAT(request, HasSubstr("content-length: 11\r\n"));
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST", "/", {{"content-length", "11"}}), kOpen) +
               data_bytes(stream, "hello ") + data_bytes(stream, "world", NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client.response(stream).body, "ok");
}

TEST_F(Http2Test, ABodyWithoutLengthIsChunked) {
  serve([](RawSocket& client) {
    const std::string request = read_upload(client, "0\r\n\r\n");
    EXPECT_THAT(request, AllOf(HasSubstr("transfer-encoding: chunked\r\n"),
                               EndsWith("\r\n\r\n5\r\nhello\r\n0\r\n\r\n")));
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST"), kOpen) +
               data_bytes(stream, "hello", NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client.response(stream).body, "ok");
}

TEST_F(Http2Test, AnEndThatComesByItselfIsNoBody) {
  serve(TestBackend::echo_head());
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields(), kOpen) +
               data_bytes(stream, "", NGHTTP2_FLAG_END_STREAM));
  EXPECT_THAT(client.response(stream).body, Not(HasSubstr("transfer-encoding")));
}

TEST_F(Http2Test, LargeBodiesPassBothWays) {
  constexpr std::size_t kSize = 3'000'000;
  const std::string sent(kSize, 'u');
  serve([&](RawSocket& client) {
    std::string request = read_until(client, "\r\n\r\n");
    request.erase(0, request.find("\r\n\r\n") + 4);
    while (request.size() < kSize) {
      const std::string more = client.read_some();
      if (more.empty()) return;
      request += more;
    }
    client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kSize) + "\r\n\r\n" + request);
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(
      headers_bytes(stream, request_fields("POST", "/", {{"content-length", std::to_string(kSize)}}), kOpen));
  // What the windows allow: that of the connection and that of the stream are opened as the backend reads.
  std::size_t connection = 65'535;
  std::size_t window = 65'535;
  std::size_t done = 0;
  while (done < kSize) {
    const std::size_t size = std::min({connection, window, kSize - done, std::size_t{16'384}});
    if (size > 0) {
      client.write(data_bytes(stream, std::string_view(sent).substr(done, size),
                              done + size == kSize ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE));
      done += size;
      connection -= size;
      window -= size;
      continue;
    }
    const Frame2 frame = client.next();
    ASSERT_NE(frame.type, 0xff);
    if (frame.type == NGHTTP2_SETTINGS && !frame.has(NGHTTP2_FLAG_ACK)) window += 128 * 1024 - 65'535;
    if (frame.type == NGHTTP2_WINDOW_UPDATE) (frame.stream == 0 ? connection : window) += frame.number();
  }
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.body.size(), kSize);
  EXPECT_TRUE(response.body == sent);
}

TEST_F(Http2Test, RequestsDoNotWaitForEachOther) {
  std::atomic<bool> fast_done = false;
  serve([&](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    while (head.starts_with("GET /slow") && !fast_done) std::this_thread::sleep_for(1ms);
    client.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  });
  Http2Client client(server_->port());
  const std::int32_t slow = client.next_stream();
  client.write(headers_bytes(slow, request_fields("GET", "/slow")));
  EXPECT_EQ(client.get("/fast").body, "ok");
  fast_done = true;
  EXPECT_EQ(client.response(slow).body, "ok");
}

TEST_F(Http2Test, InterimResponsesPass) {
  serve(TestBackend::answer_once(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  Http2Client client(server_->port());
  const Response2 response = client.get();
  EXPECT_THAT(response.interim, ElementsAre(103U));
  EXPECT_EQ(response.body, "ok");
}

TEST_F(Http2Test, TrailersPassBothWaysAndHaveNoPowers) {
  serve([](RawSocket& client) {
    const std::string request = read_upload(client, "x-check: 1\r\n\r\n");
    EXPECT_THAT(request, EndsWith("5\r\nhello\r\n0\r\nx-check: 1\r\n\r\n"));
    client.write(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\nConnection: "
        "close\r\nX-Forwarded-For: a\r\n\r\n");
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(
      headers_bytes(stream, request_fields("POST"), kOpen) + data_bytes(stream, "hello") +
      headers_bytes(stream, {{"x-real-ip", "10.0.0.1"}, {"x-forwarded-for", "10.0.0.1"}, {"x-check", "1"}}));
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.body, "ok");
  EXPECT_THAT(response.trailer, ElementsAre(std::pair("x-sum", "2")));
  EXPECT_TRUE(response.complete);
}

// RFC 8441
TEST_F(Http2Test, WebSocketPasses) {
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    EXPECT_THAT(head, AllOf(StartsWith("GET /chat HTTP/1.1\r\n"), HasSubstr("Connection: Upgrade\r\n"),
                            HasSubstr("Upgrade: websocket\r\n"), HasSubstr("sec-websocket-key: "),
                            HasSubstr("sec-websocket-version: 13\r\n")));
    client.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: x\r\n\r\nearly");
    for (std::string data = client.read_some(); !data.empty(); data = client.read_some())
      client.write("<" + data + ">");
    client.write("bye");
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(
      stream,
      request_fields("CONNECT", "/chat", {{":protocol", "websocket"}, {"sec-websocket-version", "13"}}),
      kOpen));
  EXPECT_EQ(client.next(NGHTTP2_DATA).payload, "early");
  client.write(data_bytes(stream, "frame"));
  std::string echo;
  while (echo != "<frame>") {
    const Frame2 frame = client.next(NGHTTP2_DATA);
    ASSERT_EQ(frame.type, NGHTTP2_DATA);
    echo += frame.payload;
  }
  client.write(data_bytes(stream, "", NGHTTP2_FLAG_END_STREAM));
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.status, 200U);
  EXPECT_FALSE(response.fields.contains("sec-websocket-accept"));
  EXPECT_EQ(response.body, "early<frame>bye");
  EXPECT_TRUE(response.complete);
  EXPECT_FALSE(response.reset);
  EXPECT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_relays_total{end="complete",listener="https"})", 1));
}

TEST_F(Http2Test, ABackendThatBreaksOffResetsOneStream) {
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    client.write(head.starts_with("GET /broken") ? "he" : "hello");
  });
  Http2Client client(server_->port());
  const Response2 broken = client.get("/broken");
  EXPECT_EQ(broken.status, 200U);
  EXPECT_EQ(broken.reset, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(broken.complete);
  EXPECT_EQ(client.get("/whole").body, "hello");
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_responses_broken_total{by="backend",listener="https"})"), 1);
}

TEST_F(Http2Test, ABackendThatIsNotThereIsABadGateway) {
  serve(TestBackend::hello());
  backend_.reset();
  Http2Client client(server_->port());
  const Response2 response = client.get();
  EXPECT_EQ(response.status, 502U);
  EXPECT_THAT(response.body, HasSubstr("cannot be reached"));
  EXPECT_FALSE(response.fields.contains("connection"));
}

TEST_F(Http2Test, ARequestThatTheClientResetsEndsAtTheBackend) {
  std::atomic<bool> ended = false;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    ended = client.read_some().empty();
  });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields()));
  EXPECT_EQ(client.next(NGHTTP2_DATA).payload, "hello");
  client.write(frame_bytes({NGHTTP2_RST_STREAM, 0, stream, number_bytes(NGHTTP2_CANCEL)}));
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_responses_broken_total{by="client",listener="https"})", 1));
  backend_.reset();  // waits for the handler
  EXPECT_TRUE(ended);
}

TEST_F(Http2Test, AResponseBeforeTheEndOfTheRequestStopsIt) {
  serve(TestBackend::answer_once("HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno"));
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST"), kOpen) + data_bytes(stream, "a"));
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.status, 413U);
  EXPECT_TRUE(response.complete);
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM).number(), NGHTTP2_NO_ERROR);
}

TEST_F(Http2Test, AStopServesWhatIsOnItsWayAndAnnouncesTheEndInTwoPhases) {
  std::atomic<bool> stopped = false;
  serve([&](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    while (!stopped) std::this_thread::sleep_for(1ms);
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Http2Client client(server_->port());
  const std::int32_t first = client.next_stream();
  client.write(headers_bytes(first, request_fields()));
  ASSERT_EQ(client.next(NGHTTP2_SETTINGS).type, NGHTTP2_SETTINGS);
  server_->stop();
  const Frame2 notice = client.next(NGHTTP2_GOAWAY);
  EXPECT_EQ(notice.number(), 0x7fffffffU);
  EXPECT_EQ(notice.number(4), NGHTTP2_NO_ERROR);
  const std::int32_t second = client.next_stream();  // on its way when the notice came
  client.write(headers_bytes(second, request_fields()));
  const Frame2 end = client.next(NGHTTP2_GOAWAY);
  EXPECT_EQ(end.number(), static_cast<std::uint32_t>(second));
  stopped = true;
  EXPECT_EQ(client.response(first).body, "ok");
  EXPECT_EQ(client.response(second).body, "ok");
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(client.tls().ended_in_order());
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

TEST_F(Http2Test, AnIdleConnectionEndsInOrder) {
  listener_.idle_timeout = 200ms;
  serve(TestBackend::hello());
  Http2Client client(server_->port());
  EXPECT_EQ(client.get().body, "hello");
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(client.tls().ended_in_order());
}

TEST_F(Http2Test, ARequestIsNoIdleTime) {
  listener_.idle_timeout = 50ms;
  serve([](RawSocket& client) {
    read_until(client, "\r\n\r\n");
    std::this_thread::sleep_for(300ms);  // longer than the connection may be idle
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  Http2Client client(server_->port());
  EXPECT_EQ(client.get().body, "ok");
}

TEST_F(Http2Test, ABodyThatStopsTimesOut) {
  listener_.stall_timeout = 100ms;
  serve([](RawSocket& client) { read_to_end(client); });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST"), kOpen) + data_bytes(stream, "a"));
  EXPECT_EQ(client.response(stream).status, 408U);
}

TEST_F(Http2Test, ABodyThatTricklesEndsByItsRate) {
  listener_.stall_timeout = 1s;
  listener_.min_body_rate = 10'000;
  serve([](RawSocket& client) { read_to_end(client); });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST"), kOpen));
  while (server_->metric(R"(keystay_tlsd_own_answers_total{listener="https",status="408"})") < 1) {
    client.write(data_bytes(stream, "a"));
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(client.response(stream).status, 408U);
}

TEST_F(Http2Test, AClientThatTakesNothingLosesOneResponse) {
  listener_.stall_timeout = 200ms;
  serve(TestBackend::hello(std::string(8'000'000, 'x')));
  Http2Client client(server_->port(), 3);  // a window of three bytes, which is not opened
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields()));
  EXPECT_EQ(client.next(NGHTTP2_DATA).payload, "xxx");
  EXPECT_EQ(client.next(NGHTTP2_RST_STREAM).stream, stream);
  EXPECT_EQ(server_->metric(R"(keystay_tlsd_responses_broken_total{by="client",listener="https"})"), 1);
}

}  // namespace
}  // namespace keystay::test
