// What is too large of a request is refused with the status that says so, and what just fits passes.
#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

class RequestSizesTest : public HttpTest {
 protected:
  void TearDown() override { server_.reset(); }

  [[nodiscard]] unsigned status(const std::string& request) const { return answer(request).status; }
  // Answers when all of a request is there, whose body ends with "12345" or with the last chunk.
  static void answer_late(RawSocket& client) {
    const std::string text = read_until(client, "\r\n\r\n");
    const bool chunked = text.find("chunked") != std::string::npos;
    const std::string end = chunked ? "0\r\n\r\n" : text.starts_with("POST") ? "12345" : "";
    if (!text.ends_with(end)) read_until(client, end);
    client.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }
  // A request whose line has so many bytes.
  static std::string line_of(std::size_t size) {
    const std::string around = "GET / HTTP/1.1";
    return "GET /" + std::string(size - around.size(), 'p') + " HTTP/1.1";
  }

  config::RequestSizes& sizes_ = listener_.request_sizes;
};

constexpr char kRest[] = "\r\nHost: a\r\n\r\n";

TEST_F(RequestSizesTest, ALineThatIsTooLongGives414) {
  sizes_.line = 1000;
  serve(TestBackend::hello());
  EXPECT_EQ(status(line_of(1000) + kRest), 200U);
  EXPECT_EQ(status(line_of(1001) + kRest), 414U);
  EXPECT_EQ(status(line_of(1001) + "\r\n"), 414U) << "the fields are not waited for";
  EXPECT_EQ(status("GET /" + std::string(1000, 'p')), 414U) << "nor is its end";
  Http2Client client(server_->port());
  EXPECT_EQ(client.get("/" + std::string(900, 'p')).status, 200U);
  EXPECT_EQ(client.get("/" + std::string(1000, 'p')).status, 414U);
}

TEST_F(RequestSizesTest, AHeadThatIsTooLargeGives431) {
  sizes_.head = sizes_.line = 1000;
  serve(TestBackend::hello());
  const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  const auto head_of = [&](std::size_t size) {
    return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(status(head_of(1000)), 200U);
  EXPECT_EQ(status(head_of(1001)), 431U);
  Http2Client client(server_->port());
  EXPECT_EQ(client.get("/", {{"x", std::string(1000, 'x')}}).status, 431U);
  EXPECT_EQ(client.get().status, 200U);
}

TEST_F(RequestSizesTest, AHeadMayBeLargerThanUsual) {
  sizes_.head = sizes_.line = 65'536;
  serve(TestBackend::hello());
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x') + "\r\n\r\n"), 200U);
  EXPECT_EQ(status(line_of(60'000) + kRest), 200U);
}

TEST_F(RequestSizesTest, TooManyFieldsGive431) {
  sizes_.fields = 3;
  serve(TestBackend::hello());
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 1\r\n\r\n"), 200U);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 1\r\nZ: 1\r\n\r\n"), 431U);
}

TEST_F(RequestSizesTest, ATrailerSectionThatIsTooLargeGives400) {
  sizes_.trailer = 100;
  sizes_.fields = 3;
  serve(answer_late);
  const auto with_trailer = [](const std::string& trailer) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + trailer +
           "\r\n";
  };
  EXPECT_EQ(status(with_trailer("X: " + std::string(99, 'x') + "\r\n")), 200U);
  EXPECT_EQ(status(with_trailer("X: " + std::string(100, 'x') + "\r\n")), 400U);
  EXPECT_EQ(status(with_trailer("X: 1\r\nY: 1\r\nZ: 1\r\nA: 1\r\n")), 400U);
}

TEST_F(RequestSizesTest, ABodyThatIsTooLargeGives413) {
  sizes_.body = 5;
  serve(answer_late);
  const auto with_length = [](const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const auto in_chunks = [](const std::string& chunks) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n";
  };
  EXPECT_EQ(status(with_length("12345")), 200U);
  EXPECT_EQ(status(with_length("123456")), 413U);
  EXPECT_EQ(status(in_chunks("3\r\n123\r\n2\r\n45\r\n")), 200U);
  EXPECT_EQ(status(in_chunks("3\r\n123\r\n3\r\n456\r\n")), 413U);
  EXPECT_EQ(status(in_chunks("6\r\n123456\r\n")), 413U);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200U);
}

TEST_F(RequestSizesTest, ABodyThatIsTooLargeIsNotAskedFor) {
  sizes_.body = 5;
  serve(TestBackend::hello());
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"), 413U);
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(RequestSizesTest, OverHttp2ABodyThatIsTooLargeGives413) {
  sizes_.body = 5;
  serve(answer_late);
  Http2Client client(server_->port());
  const auto post = [&](const std::string& body, const Fields2& more) {
    const std::int32_t stream = client.next_stream();
    client.write(headers_bytes(stream, request_fields("POST", "/", more), kOpen) +
                 data_bytes(stream, body, NGHTTP2_FLAG_END_STREAM));
    return client.response(stream).status;
  };
  EXPECT_EQ(post("12345", {{"content-length", "5"}}), 200U);
  EXPECT_EQ(post("123456", {{"content-length", "6"}}), 413U);
  EXPECT_EQ(post("123456", {}), 413U);
}

}  // namespace
}  // namespace keystay::test
