// What a client of HTTP/2 may not send, and floods: each ends its stream or its connection, and no other.
#include <ostream>
#include <string>

#include "tests/tlsd/http2_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr unsigned kReset = 0;  // no response, but RST_STREAM with PROTOCOL_ERROR

struct RequestCase {
  const char* name;
  Fields2 fields;
  unsigned status;
  friend std::ostream& operator<<(std::ostream& out, const RequestCase& it) { return out << it.name; }
};

class Http2RequestTest : public Http2Test, public testing::WithParamInterface<RequestCase> {};

TEST_P(Http2RequestTest, IsServedOrRefused) {
  serve(TestBackend::hello());
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, GetParam().fields));
  const Response2 response = client.response(stream);
  EXPECT_EQ(response.status, GetParam().status);
  if (GetParam().status == kReset) {
    EXPECT_EQ(response.reset, NGHTTP2_PROTOCOL_ERROR);
  }
  if (GetParam().status != 200) {
    EXPECT_EQ(backend_->connections(), 0) << "the backend saw something of it";
  }
  EXPECT_EQ(client.get().status, 200U) << "the connection goes on";
}

// More than 16 KiB as they are counted, less on the wire: one frame.
Fields2 large_fields() {
  Fields2 fields(40, {"x", "1"});
  fields.emplace_back("x", std::string(15'500, 'x'));
  return fields;
}

Fields2 with(Fields2 more) { return request_fields("GET", "/", std::move(more)); }

const RequestCase kRequestCases[] = {
    {"Plain", request_fields(), 200},
    {"HostInsteadOfAuthority",
     {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}},
     200},
    {"HostThatAgrees", with({{"host", "LOCALHOST"}}), 200},
    {"HostThatDiffers", with({{"host", "other"}}), 400},
    {"TwoHosts",
     {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}, {"host", "a"}},
     kReset},
    {"NoAuthority", {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}, kReset},
    {"NoHostAndPort",
     {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "user@a"}},
     400},
    {"NoMethod", {{":scheme", "https"}, {":path", "/"}, {":authority", "a"}}, kReset},
    {"NoPath", {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}}, kReset},
    {"EmptyPath", request_fields("GET", ""), kReset},
    {"PathInAbsoluteForm", request_fields("GET", "https://other/"), kReset},
    {"PathWithASpace", request_fields("GET", "/ HTTP/1.1"), kReset},
    {"PathWithALineBreak", request_fields("GET", "/\r\nx: y"), kReset},
    {"PathWithAFragment", request_fields("GET", "/#a"), 400},
    {"AsteriskOfOptions", request_fields("OPTIONS", "*"), 200},
    {"AsteriskOfGet", request_fields("GET", "*"), kReset},
    {"SchemeHttp", {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, 400},
    {"Connect", {{":method", "CONNECT"}, {":authority", "a:443"}}, 405},
    {"Trace", request_fields("TRACE"), 405},
    {"MethodWithASpace", request_fields("GET /x"), kReset},
    {"UnknownPseudoHeader", with({{":unknown", "1"}}), kReset},
    {"PseudoHeaderTwice", with({{":path", "/other"}}), kReset},
    {"PseudoHeaderBehindAField",
     {{":method", "GET"}, {":scheme", "https"}, {"x", "1"}, {":path", "/"}, {":authority", "a"}},
     kReset},
    {"StatusInARequest", with({{":status", "200"}}), kReset},
    {"UpperCaseName", with({{"X-Mine", "1"}}), kReset},
    {"NameWithASpace", with({{"x mine", "1"}}), kReset},
    {"NameWithALineBreak", with({{"x\r\ny", "1"}}), kReset},
    {"EmptyName", with({{"", "1"}}), kReset},
    {"ValueWithALineFeed", with({{"x", "1\nevil: 1"}}), kReset},
    {"ValueWithACarriageReturn", with({{"x", "1\r"}}), kReset},
    {"ValueWithANul", with({{"x", std::string("1\0", 2)}}), kReset},
    {"ValueInSpaces", with({{"x", " 1 "}}), kReset},
    {"Connection", with({{"connection", "close"}}), kReset},
    {"KeepAlive", with({{"keep-alive", "1"}}), kReset},
    {"ProxyConnection", with({{"proxy-connection", "close"}}), kReset},
    {"Upgrade", with({{"upgrade", "h2c"}}), kReset},
    {"TransferEncoding", with({{"transfer-encoding", "chunked"}}), kReset},
    {"TeOtherThanTrailers", with({{"te", "gzip"}}), kReset},
    {"LengthWithoutBody", with({{"content-length", "5"}}), kReset},
    {"LengthTwice", with({{"content-length", "0"}, {"content-length", "0"}}), kReset},
    {"LengthThatIsNoNumber", with({{"content-length", "+0"}}), kReset},
    {"HeadTooLarge", with(large_fields()), 431},
    {"TooManyFields", with(Fields2(130, {"x", "1"})), 431},
    {"Protocol",
     {{":method", "CONNECT"},
      {":scheme", "https"},
      {":path", "/"},
      {":authority", "a"},
      {":protocol", "other"}},
     501},
};

INSTANTIATE_TEST_SUITE_P(Requests, Http2RequestTest, testing::ValuesIn(kRequestCases),
                         [](const auto& it) { return std::string(it.param.name); });

// RFC 9113, section 8.1.1: the sum of the DATA frames is the Content-Length, or the request is malformed.
class Http2LengthTest : public Http2Test, public testing::WithParamInterface<const char*> {};

TEST_P(Http2LengthTest, ABodyOfAnotherLengthNeverReachesTheBackendWhole) {
  std::string seen;
  serve([&](RawSocket& client) { seen = read_to_end(client); });
  Http2Client client(server_->port());
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields("POST", "/", {{"content-length", "5"}}), kOpen) +
               data_bytes(stream, GetParam(), NGHTTP2_FLAG_END_STREAM));
  EXPECT_EQ(client.response(stream).reset, NGHTTP2_PROTOCOL_ERROR);
  backend_.reset();  // waits for the handler
  EXPECT_THAT(seen, testing::Not(HasSubstr("GET /evil")));
  const std::size_t head = seen.find("\r\n\r\n");
  EXPECT_TRUE(seen.empty() || seen.size() - head - 4 < 5) << "a whole request";
}

INSTANTIATE_TEST_SUITE_P(Bodies, Http2LengthTest,
                         testing::Values("", "abc", "abcdeGET /evil HTTP/1.1\r\nhost: a\r\n\r\n"));

// Frames without end, one after the other.
struct FloodCase {
  const char* name;
  std::string frames;  // in front
  std::string frame;   // and this, again and again
  std::uint32_t error;
  friend std::ostream& operator<<(std::ostream& out, const FloodCase& it) { return out << it.name; }
};

std::string repeated(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

class Http2FloodTest : public Http2Test, public testing::WithParamInterface<FloodCase> {};

TEST_P(Http2FloodTest, EndsItsOwnConnection) {
  LogCapture log;
  serve([](RawSocket& client) {
    const std::string head = read_until(client, "\r\n\r\n");
    if (head.starts_with("POST")) read_to_end(client);
    client.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  });
  Http2Client client(server_->port());
  // Its acknowledgement has no place between the frames of a head.
  ASSERT_EQ(client.next(NGHTTP2_SETTINGS).type, NGHTTP2_SETTINGS);
  client.write(GetParam().frames);
  const std::string burst = repeated(1 + 8'000 / GetParam().frame.size(), GetParam().frame);
  // A server without limits would take it all.
  for (int i = 0; i < 2'000 && !client.is_ended() && client.write(burst); ++i) {
  }
  EXPECT_EQ(client.goaway(), GetParam().error);
  EXPECT_THAT(log.text(), HasSubstr("HTTP/2 ended with "));
  expect_served();
  EXPECT_EQ(server_->metric(http2_errors("connection", nghttp2_http2_strerror(GetParam().error))), 1);
}

const FloodCase kFloodCases[] = {
    {"Ping", "", frame_bytes({NGHTTP2_PING, 0, 0, "12345678"}), NGHTTP2_ENHANCE_YOUR_CALM},
    {"Settings", "", frame_bytes({NGHTTP2_SETTINGS, 0, 0, ""}), NGHTTP2_ENHANCE_YOUR_CALM},
    {"Priority", "", frame_bytes({NGHTTP2_PRIORITY, 0, 7, number_bytes(0) + "\x01"}),
     NGHTTP2_ENHANCE_YOUR_CALM},
    {"UnknownFrames", "", frame_bytes({0xfa, 0, 7, ""}), NGHTTP2_ENHANCE_YOUR_CALM},
    {"EmptyData", headers_bytes(1, request_fields("POST"), kOpen), data_bytes(1, ""),
     NGHTTP2_ENHANCE_YOUR_CALM},
    {"PaddingWithoutData", headers_bytes(1, request_fields("POST"), kOpen),
     frame_bytes({NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, std::string("\x03\0\0\0", 4)}),
     NGHTTP2_ENHANCE_YOUR_CALM},
    {"WindowUpdate", "", frame_bytes({NGHTTP2_WINDOW_UPDATE, 0, 0, number_bytes(1)}),
     NGHTTP2_ENHANCE_YOUR_CALM},
    {"Continuation", frame_bytes({NGHTTP2_HEADERS, 0, 1, section_bytes(request_fields())}),
     frame_bytes({NGHTTP2_CONTINUATION, 0, 1, ""}), NGHTTP2_ENHANCE_YOUR_CALM},
    {"FieldsWithoutEnd", frame_bytes({NGHTTP2_HEADERS, 0, 1, section_bytes(request_fields())}),
     frame_bytes({NGHTTP2_CONTINUATION, 0, 1, section_bytes({{"x", std::string(15'000, 'x')}})}),
     NGHTTP2_ENHANCE_YOUR_CALM},
    // A field of 3,000 bytes in the dynamic table, and references to it of one byte each.
    {"FieldsByReference", "",
     frame_bytes({NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                  section_bytes(request_fields()) + "\x40\x01x\x7f\xb9\x16" + std::string(3000, 'x') +
                      repeated(5000, "\xbe")}),
     NGHTTP2_ENHANCE_YOUR_CALM},
};

INSTANTIATE_TEST_SUITE_P(Floods, Http2FloodTest, testing::ValuesIn(kFloodCases),
                         [](const auto& it) { return std::string(it.param.name); });

// CVE-2023-44487
TEST_F(Http2Test, RapidResetEndsTheConnectionAndCostsFewConnectionsToTheBackend) {
  serve([](RawSocket& client) { read_to_end(client); });
  Http2Client client(server_->port());
  for (int i = 0; i < 50'000 && !client.is_ended(); i += 100) {
    std::string burst;
    for (int j = 0; j < 100; ++j) {
      const std::int32_t stream = client.next_stream();
      burst += headers_bytes(stream, request_fields()) +
               frame_bytes({NGHTTP2_RST_STREAM, 0, stream, number_bytes(NGHTTP2_CANCEL)});
    }
    if (!client.write(burst)) break;
  }
  EXPECT_EQ(client.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(backend_->connections(), 1000);
}

TEST_F(Http2Test, MoreStreamsThanAgreedAreRefused) {
  listener_.http2_max_streams = 2;
  serve([](RawSocket& client) { read_to_end(client); });
  Http2Client client(server_->port());
  std::string requests;
  std::int32_t last = 0;
  for (int i = 0; i < 3; ++i) requests += headers_bytes(last = client.next_stream(), request_fields());
  client.write(requests);  // before it knows the limit
  EXPECT_EQ(client.response(last).reset, NGHTTP2_REFUSED_STREAM);
  client.write(headers_bytes(client.next_stream(), request_fields()));
  EXPECT_EQ(client.goaway(), NGHTTP2_PROTOCOL_ERROR);
}

// A window that is opened byte by byte (CVE-2019-9511).
TEST_F(Http2Test, AResponseByTheByteEndsTheConnection) {
  serve(TestBackend::hello(std::string(1'000'000, 'x')));
  Http2Client client(server_->port(), 0);
  const std::int32_t stream = client.next_stream();
  client.write(headers_bytes(stream, request_fields()));
  const std::string one = frame_bytes({NGHTTP2_WINDOW_UPDATE, 0, stream, number_bytes(1)});
  std::size_t taken = 0;
  for (std::size_t given = 50; given < 100'000; given += 50) {
    if (!client.write(repeated(50, one))) break;
    Frame2 frame;
    while (taken < given && (frame = client.next()).type != NGHTTP2_GOAWAY && frame.type != 0xff)
      taken += frame.type == NGHTTP2_DATA ? frame.payload.size() : 0;
    if (taken < given) break;
  }
  EXPECT_EQ(client.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2Test, AHeadThatDoesNotEndTimesOut) {
  listener_.request_head_timeout = 100ms;
  serve(TestBackend::hello());
  Http2Client client(server_->port());
  ASSERT_EQ(client.next(NGHTTP2_SETTINGS).type,
            NGHTTP2_SETTINGS);  // whose acknowledgement has no place in a head
  client.write(frame_bytes({NGHTTP2_HEADERS, 0, 1, section_bytes(request_fields())}));
  EXPECT_EQ(client.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(server_->wait_for_metric(kConnections2, 0));
}

TEST_F(Http2Test, WhatIsNoPrefaceEndsTheConnection) {
  serve(TestBackend::hello());
  TlsClient client(server_->port(), {.protocols = "\x02h2"});
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write(kGet);
  read_to_end(client);
  EXPECT_TRUE(server_->wait_for_metric(kConnections2, 0));
  EXPECT_EQ(server_->metric(http2_errors("connection", "PROTOCOL_ERROR")), 1);
}

}  // namespace
}  // namespace keystay::test
