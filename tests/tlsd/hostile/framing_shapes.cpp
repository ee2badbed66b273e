// Lengths, encodings, pipelines, split points and ends (RFC 9112, sections 2, 6, 8 and 9).
#include "tests/tlsd/hostile/shapes.h"

namespace keystay::test {
namespace {

std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kBoth = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";

}  // namespace

std::vector<ClientShape> framing_shapes() {
  return {
      {"ordinary length", {post("Content-Length: 5\r\n", "hello")}, 200, "hello"},
      {"length zero", {post("Content-Length: 0\r\n")}, 200, "Content-Length: 0"},
      {"chunked and length", {post(kBoth, "0\r\n\r\n" + kSmuggled)}, 400},
      {"length and chunked", {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")}, 400},
      {"two lengths", {post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")}, 400},
      {"two equal lengths", {post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")}, 400},
      {"list of lengths", {post("Content-Length: 5, 5\r\n", "hello")}, 400},
      {"negative length", {post("Content-Length: -5\r\n", "hello")}, 400},
      {"length with plus", {post("Content-Length: +5\r\n", "hello")}, 400},
      {"length in hex", {post("Content-Length: 0x5\r\n", "hello")}, 400},
      {"length with underscore", {post("Content-Length: 1_0\r\n", "hellohello")}, 400},
      {"length with blank inside", {post("Content-Length: 1 0\r\n", "hellohello")}, 400},
      {"length with fraction", {post("Content-Length: 5.0\r\n", "hello")}, 400},
      {"length in arabic digits", {post("Content-Length: \xd9\xa5\r\n", "hello")}, 400},
      {"empty length", {post("Content-Length:\r\n", "hello")}, 400},
      {"length of 2^64", {post("Content-Length: 18446744073709551616\r\n", "hello")}, 400},
      {"length of 40 digits", {post("Content-Length: " + std::string(40, '9') + "\r\n")}, 400},
      {"length with leading zeros", {post("Content-Length: 005\r\n", "hello")}, 200, "hello"},
      {"length behind blanks", {post("Content-Length: \t 5 \t\r\n", "hello")}, 200, "hello"},
      {"length with quotes", {post("Content-Length: \"5\"\r\n", "hello")}, 400},
      {"space before the colon", {post("Content-Length : 5\r\n", "hello")}, 400},
      {"tab before the colon", {post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")}, 400},
      {"folded length", {post("Content-Length:\r\n 5\r\n", "hello")}, 400},
      {"folded encoding", {post("Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n")}, 400},
      {"encoding twice", {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")}, 400},
      {"encoding identity", {post("Transfer-Encoding: identity\r\n", "hello")}, 400},
      {"encoding gzip", {post("Transfer-Encoding: gzip\r\n", "hello")}, 400},
      {"encoding gzip, chunked", {post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")}, 501},
      {"encoding chunked, gzip", {post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")}, 400},
      {"encoding chunked, chunked", {post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")}, 501},
      {"encoding xchunked", {post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")}, 400},
      {"encoding chunked with comma", {post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n")}, 400},
      {"encoding in quotes", {post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")}, 400},
      {"encoding with parameter", {post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n")}, 400},
      {"encoding with vertical tab", {post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")}, 400},
      {"encoding with NUL", {post(std::string("Transfer-Encoding: chunked\0\r\n", 29), "0\r\n\r\n")}, 400},
      {"encoding in capitals", {post("TRANSFER-ENCODING: CHUNKED\r\n", "0\r\n\r\n")}, 200, "POST /p"},
      {"encoding in HTTP/1.0",
       {"POST /p HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
       400},
      {"Connection names the length",
       {post("Connection: Content-Length\r\nContent-Length: 5\r\n", "hello")},
       200,
       "Content-Length: 5"},
      {"Connection names the encoding",
       {post("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")},
       200,
       "hello"},
      {"body of a GET", {"GET /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"}, 200, "hello"},
      {"request in the body",
       {post("Content-Length: " + std::to_string(kSmuggled.size()) + "\r\n", kSmuggled)},
       200,
       "GET /smuggled"},
      {"pipeline of two", {"GET /p HTTP/1.1\r\nHost: a\r\n\r\n" + kSmuggled}, 200, "GET /p", "smuggled"},
      {"empty line in front", {"\r\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n"}, 200, "GET /p"},
      {"bare line feed in front", {"\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n"}, 400},
      {"two empty lines in front", {"\r\n\r\nGET /p HTTP/1.1\r\nHost: a\r\n\r\n"}, 400},
      {"byte by byte",
       {"G", "E",  "T",  " ", "/", "p", " ", "H", "T", "T",  "P",  "/",  "1", ".",
        "1", "\r", "\n", "H", "o", "s", "t", ":", "a", "\r", "\n", "\r", "\n"},
       200,
       "GET /p"},
      {"split inside the last line end", {"GET /p HTTP/1.1\r\nHost: a\r\n\r", "\n"}, 200, "GET /p"},
      {"split inside a field name", {"GET /p HTTP/1.1\r\nHo", "st: a\r\n\r\n"}, 200, "GET /p"},
      {"split between head and body", {post("Content-Length: 5\r\n"), "hello"}, 200, "hello"},
      {"split inside the body", {post("Content-Length: 5\r\n", "he"), "llo"}, 200, "hello"},
      {"split in front of a bare line feed", {"GET /p HTTP/1.1", "\nHost: a\r\n\r\n"}, 400},
      {"head without an end", {"GET /p HTTP/1.1\r\nHost: a\r\n"}, kNoAnswer, "", "", Ending::half_closes},
      {"request line without an end", {"GET /p HT"}, kNoAnswer, "", "", Ending::half_closes},
      {"nothing at all", {}, kNoAnswer, "", "", Ending::half_closes},
      {"line end only", {"\r\n"}, kNoAnswer, "", "", Ending::half_closes},
      {"body without an end",
       {post("Content-Length: 50\r\n", "hello")},
       kNoAnswer,
       "",
       "",
       Ending::half_closes},
      {"reset inside the head", {"GET /p HTTP/1.1\r\nHost"}, kNoAnswer, "", "", Ending::resets},
      {"reset inside the body", {post("Content-Length: 50\r\n", "hello")}, kNoAnswer, "", "", Ending::resets},
      {"reset behind the request", {"GET /p HTTP/1.1\r\nHost: a\r\n\r\n"}, kNoAnswer, "", "", Ending::resets},
      {"half-close behind the request",
       {"GET /p HTTP/1.1\r\nHost: a\r\n\r\n"},
       200,
       "GET /p",
       "",
       Ending::half_closes},
  };
}

}  // namespace keystay::test
