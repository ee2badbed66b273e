// A request of HTTP/2 as one of HTTP/1.1 (RFC 9113, section 8.3.1). What libnghttp2 refuses in front of it is
// tried here, too: a head must not depend on that.
#include "tlsd/http2/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

using HeadFields = std::vector<std::pair<std::string, std::string>>;

struct Parsed {
  RequestParser request;
  std::optional<Refusal> refusal;
  std::string_view field(std::string_view name) { return request.get()[name]; }
};

std::unique_ptr<Parsed> parsed(const HeadFields& fields, RequestBody body = RequestBody::none) {
  const config::RequestSizes sizes;
  RequestHead head(sizes);
  for (const auto& [name, value] : fields) EXPECT_TRUE(head.add(name, value));
  auto result = std::make_unique<Parsed>();
  result->refusal = head.parse(result->request, body);
  return result;
}

HeadFields with(const HeadFields& more, const std::string& method = "GET") {
  HeadFields fields{{":method", method}, {":scheme", "https"}, {":authority", "a:8443"}, {":path", "/x?y"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

unsigned status(const HeadFields& fields) {
  const auto result = parsed(fields);
  return result->refusal ? static_cast<unsigned>(result->refusal->status) : 200;
}

TEST(RequestHead, IsOneOfHttp11) {
  const auto result = parsed(with({{"cookie", "a=1"}, {"x", "1"}, {"cookie", "b=2"}}));
  ASSERT_FALSE(result->refusal);
  EXPECT_TRUE(result->request.is_done());
  EXPECT_EQ(result->request.get().method(), http::verb::get);
  EXPECT_EQ(result->request.get().target(), "/x?y");
  EXPECT_EQ(result->request.get().version(), 20U);
  EXPECT_EQ(result->field("Host"), "a:8443");
  EXPECT_EQ(result->field("Cookie"), "a=1; b=2");
  EXPECT_EQ(result->request.get().count("Cookie"), 1U);
}

TEST(RequestHead, SaysHowABodyComes) {
  EXPECT_TRUE(parsed(with({}, "POST"), RequestBody::expected)->request.chunked());
  EXPECT_EQ(parsed(with({{"content-length", "3"}}, "POST"), RequestBody::expected)->field("Content-Length"),
            "3");
  EXPECT_FALSE(parsed(with({{"content-length", "3"}}, "POST"), RequestBody::expected)->request.chunked());
  EXPECT_EQ(parsed(with({}, "POST"))->field("Content-Length"), "0");
  EXPECT_EQ(parsed(with({}))->field("Content-Length"), "");
}

TEST(RequestHead, CannotHoldAnotherRequest) {
  for (const std::string& breaks :
       {std::string("a\r\nb: c"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3)}) {
    EXPECT_EQ(status(with({{"x", breaks}})), 400U);
    EXPECT_EQ(status(with({{breaks, "x"}})), 400U);
    EXPECT_EQ(status(with({{"cookie", breaks}})), 400U);
    EXPECT_EQ(status(with({}, breaks)), 400U);
    for (const char* pseudo : {":path", ":authority", ":scheme", ":method"}) {
      EXPECT_EQ(status({{":method", "GET"},
                        {":scheme", "https"},
                        {":authority", "a"},
                        {":path", "/"},
                        {pseudo, breaks}}),
                400U);
    }
  }
  EXPECT_EQ(status(with({}, "GET / HTTP/1.1")), 400U);
  EXPECT_EQ(status(with({{"x: y", "1"}})), 400U);
  EXPECT_EQ(status(with({{"transfer-encoding", "chunked"}, {"content-length", "3"}})), 400U);
  EXPECT_EQ(status(with({{"content-length", "3"}, {"content-length", "4"}})), 400U);
}

TEST(RequestHead, HasOneHost) {
  EXPECT_EQ(status(with({{"host", "A:8443"}})), 200U);
  EXPECT_EQ(status(with({{"host", "b"}})), 400U);
  EXPECT_EQ(status(with({{"host", ""}})), 400U);
  EXPECT_EQ(status({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}}), 400U);
  EXPECT_EQ(status({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}}), 200U);
  EXPECT_EQ(status({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a"}, {"host", "a"}}),
            400U);
}

TEST(RequestHead, ExtendedConnectIsAnUpgradeToWebSocket) {
  HeadFields fields =
      with({{":protocol", "websocket"}, {"sec-websocket-version", "13"}, {"sec-websocket-key", "mine"}},
           "CONNECT");
  const auto first = parsed(fields, RequestBody::expected);
  ASSERT_FALSE(first->refusal);
  EXPECT_TRUE(first->request.is_done());
  EXPECT_EQ(first->request.get().method(), http::verb::get);
  EXPECT_EQ(first->field("Upgrade"), "websocket");
  EXPECT_EQ(first->field("Connection"), "Upgrade");
  EXPECT_EQ(first->field("Sec-WebSocket-Key").size(), 24U);
  EXPECT_NE(first->field("Sec-WebSocket-Key"), parsed(fields)->field("Sec-WebSocket-Key"));
  EXPECT_EQ(status(with({{":protocol", "other"}}, "CONNECT")), 501U);
  EXPECT_EQ(status(with({}, "CONNECT")), 405U);
  EXPECT_EQ(status(with({{":protocol", "websocket"}}, "GET")), 501U);
}

TEST(RequestHead, IsLimited) {
  EXPECT_EQ(status(with({{"x", std::string(kMostRequestHead, 'x')}})), 431U);
  EXPECT_EQ(status(with(HeadFields(129, {"x", "1"}))), 431U);
  const config::RequestSizes sizes;
  RequestHead head(sizes);
  std::size_t added = 0;
  while (head.add("x", "1")) ++added;
  EXPECT_EQ(added, kMostDecodedFields / (2 + kFieldOverhead));
}

}  // namespace
}  // namespace keystay::tlsd
