// Chunks, their extensions and trailer sections (RFC 9112, section 7.1).
#include "tests/tlsd/hostile/shapes.h"

namespace keystay::test {
namespace {

const std::string kHead = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunked(const std::string& body) { return kHead + body; }

std::string many(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

std::vector<ClientShape> chunk_shapes() {
  const std::string large(65'536, 'x');
  return {
      {"one chunk", {chunked("5\r\nhello\r\n0\r\n\r\n")}, 200, "hello"},
      {"no chunk but the last", {chunked("0\r\n\r\n")}, 200, "POST /p"},
      {"last chunk of many zeros", {chunked("00000000\r\n\r\n")}, 200, "POST /p"},
      {"size in capitals", {chunked("A\r\nhellohello\r\n0\r\n\r\n")}, 200, "hellohello"},
      {"size with leading zeros", {chunked("0005\r\nhello\r\n0\r\n\r\n")}, 200, "hello"},
      {"size that is no number", {chunked("xyz\r\nhello\r\n0\r\n\r\n")}, 400},
      {"size in 0x", {chunked("0x5\r\nhello\r\n0\r\n\r\n")}, 400},
      {"negative size", {chunked("-5\r\nhello\r\n0\r\n\r\n")}, 400},
      {"size with plus", {chunked("+5\r\nhello\r\n0\r\n\r\n")}, 400},
      {"blank in front of the size", {chunked(" 5\r\nhello\r\n0\r\n\r\n")}, 400},
      {"no size", {chunked("\r\nhello\r\n0\r\n\r\n")}, 400},
      {"size above 64 bits", {chunked("fffffffffffffffff\r\nhello")}, 400},
      {"size of 64 bits, then the end",
       {chunked("ffffffffffffffff\r\nhello")},
       kNoAnswer,
       "",
       "",
       Ending::half_closes},
      {"chunk longer than its size", {chunked("5\r\nhello!\r\n0\r\n\r\n")}, 400},
      {"chunk shorter than its size", {chunked("6\r\nhello\r\n0\r\n\r\n")}, 400},
      {"chunk without line end", {chunked("5\r\nhello0\r\n\r\n")}, 400},
      {"bare line feed behind the size", {chunked("5\nhello\r\n0\r\n\r\n")}, 400},
      {"bare line feed behind the chunk", {chunked("5\r\nhello\n0\r\n\r\n")}, 400},
      {"bare carriage return behind the size", {chunked("5\rhello\r\n0\r\n\r\n")}, 400},
      {"NUL in the size", {chunked(std::string("5\0\r\nhello\r\n0\r\n\r\n", 16))}, 400},
      {"extension", {chunked("5;a=b\r\nhello\r\n0\r\n\r\n")}, 200, "hello", "a=b"},
      {"extension in quotes", {chunked("5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n")}, 200, "hello", "b;c"},
      {"extension of the last chunk", {chunked("0;a=b\r\n\r\n")}, 200, "POST /p", "a=b"},
      {"extension without name", {chunked("5;\r\nhello\r\n0\r\n\r\n")}, 400},
      {"extension with line feed", {chunked("5;a=\nb\r\nhello\r\n0\r\n\r\n")}, 400},
      {"extension with open quote", {chunked("5;a=\"b\r\nhello\r\n0\r\n\r\n")}, 400},
      {"extension of 15 KiB",
       {chunked("5;a=" + std::string(15'000, 'b') + "\r\nhello\r\n0\r\n\r\n")},
       200,
       "hello"},
      {"extension of 20 KB", {chunked("5;a=" + std::string(20'000, 'b') + "\r\nhello\r\n0\r\n\r\n")}, 400},
      {"extension of 1 MB", {chunked("5;a=" + std::string(1'000'000, 'b') + "\r\nhello\r\n0\r\n\r\n")}, 400},
      {"extensions of many chunks", {chunked(many(100, "1;a=" + std::string(500, 'b') + "\r\nx\r\n"))}, 400},
      {"1,000 chunks of a byte", {chunked(many(1000, "1\r\nx\r\n") + "0\r\n\r\n")}, 200, "1\r\nx\r\n1\r\nx"},
      {"chunk of 64 KiB", {chunked("10000\r\n" + large + "\r\n0\r\n\r\n")}, 200, "xxx"},
      {"trailer field", {chunked("0\r\nX-Trailer: y\r\n\r\n")}, 200, "POST /p", "X-Trailer"},
      {"trailer with length", {chunked("0\r\nContent-Length: 5\r\n\r\n")}, 400},
      {"trailer with encoding", {chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n")}, 400},
      {"trailer with Host", {chunked("0\r\nHost: evil\r\n\r\n")}, 200, "Host: a\r\n", "evil"},
      {"trailer with X-Real-IP", {chunked("0\r\nX-Real-IP: 6.6.6.6\r\n\r\n")}, 200, "POST /p", "6.6.6.6"},
      {"trailer without colon", {chunked("0\r\nX\r\n\r\n")}, 400},
      {"trailer with blank in a name", {chunked("0\r\nX Y: z\r\n\r\n")}, 400},
      {"trailer with control character", {chunked("0\r\nX: \x01\r\n\r\n")}, 400},
      {"last chunk with bare line feeds", {chunked("0\n\n")}, 400},
      {"trailer with bare line feeds", {chunked("0\r\nX: y\n\n")}, 400},
      {"size with bare line feed and no more", {chunked("5\n")}, 400},
      {"size with bare carriage return and no more", {chunked("5\rh")}, 400},
      {"trailer with bare carriage return and no more", {chunked("0\r\nX: y\rZ")}, 400},
      {"last chunk with open quote", {chunked("0;a=\"b\r\n\r\n")}, 400},
      {"extension with escaped quote", {chunked("5;a=\"b\\\"\"\r\nhello\r\n0\r\n\r\n")}, 200, "hello"},
      {"128 trailer fields", {chunked("0\r\n" + many(128, "X: y\r\n") + "\r\n")}, 200, "POST /p"},
      {"129 trailer fields", {chunked("0\r\n" + many(129, "X: y\r\n") + "\r\n")}, 400},
      {"trailer field of 15 KiB",
       {chunked("0\r\nX: " + std::string(15'000, 'y') + "\r\n\r\n")},
       200,
       "POST /p"},
      {"trailer field of 20 KB", {chunked("0\r\nX: " + std::string(20'000, 'y') + "\r\n\r\n")}, 400},
      {"trailer field of 64 KiB", {chunked("0\r\nX: " + large + "\r\n\r\n")}, 400},
      {"trailer name of 64 KiB", {chunked("0\r\n" + large + ": y\r\n\r\n")}, 400},
      {"trailer field of 1 MB", {chunked("0\r\nX: " + std::string(1'000'000, 'y') + "\r\n\r\n")}, 400},
      {"trailer without an end", {chunked("0\r\nX: y\r\n")}, kNoAnswer, "", "", Ending::half_closes},
      {"reset inside the trailer", {chunked("0\r\nX: y\r\n")}, kNoAnswer, "", "", Ending::resets},
      {"chunk without an end", {chunked("5\r\nhel")}, kNoAnswer, "", "", Ending::half_closes},
      {"split inside the size", {kHead + "0", "5\r\nhello\r\n0\r\n\r\n"}, 200, "hello"},
      {"split inside the line ends", {kHead + "5\r", "\nhello\r", "\n0\r", "\n\r", "\n"}, 200, "hello"},
      {"split inside an extension", {kHead + "5;a", "=b\r\nhello\r\n0\r\n\r\n"}, 200, "hello"},
      {"split inside the trailer", {kHead + "0\r\nX:", " y\r", "\n\r\n"}, 200, "POST /p"},
  };
}

}  // namespace keystay::test
