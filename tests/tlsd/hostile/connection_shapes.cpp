// What comes instead of a TLS handshake (RFC 8446, section 5), and to the administrator's listener.
#include "tests/tlsd/hostile/shapes.h"
#include "tests/tlsd/tls_client.h"

namespace keystay::test {
namespace {

// A record: type, version 3.3, length, fragment.
std::string record(char type, const std::string& fragment) {
  const auto size = static_cast<unsigned>(fragment.size());
  return std::string{type, '\x03', '\x03', static_cast<char>(size >> 8U), static_cast<char>(size & 0xffU)} +
         fragment;
}

constexpr char kChangeCipherSpec = 20;
constexpr char kAlert = 21;
constexpr char kHandshake = 22;
constexpr char kApplicationData = 23;
constexpr char kHeartbeat = 24;

}  // namespace

std::vector<TlsShape> tls_shapes() {
  const std::string hello = client_hello();
  const std::string plain = "HTTP/1.1 400";
  return {
      {"nothing", {}},
      {"one byte", {"\x16"}},
      {"half a record header", {"\x16\x03\x01"}},
      {"record header only", {std::string("\x16\x03\x01\x02\x00", 5)}},
      {"half a ClientHello", {hello.substr(0, hello.size() / 2)}},
      {"ClientHello and the end", {hello}},
      {"ClientHello byte by byte",
       {hello.substr(0, 1), hello.substr(1, 1), hello.substr(2, 3), hello.substr(5)}},
      {"ClientHello twice", {hello + hello}},
      {"ClientHello and early data", {hello, record(kApplicationData, std::string(1000, 'x'))}},
      {"ClientHello and 1 MB of early data",
       {hello, many(64, record(kApplicationData, std::string(16'000, 'x')))}},
      {"ClientHello and an alert", {hello, record(kAlert, std::string("\x02\x28", 2))}},
      {"ClientHello and close_notify", {hello, record(kAlert, std::string("\x01\x00", 2))}},
      {"application data first", {record(kApplicationData, "GET / HTTP/1.1\r\n\r\n")}},
      {"alert first", {record(kAlert, std::string("\x02\x28", 2))}},
      {"1,000 warnings", {many(1000, record(kAlert, std::string("\x01\x5a", 2)))}},
      {"1,000 empty records", {many(1000, record(kHandshake, ""))}},
      {"1,000 times ChangeCipherSpec", {many(1000, record(kChangeCipherSpec, "\x01"))}},
      {"heartbeat", {record(kHeartbeat, std::string("\x01\xff\xff", 3))}},
      {"record longer than allowed", {std::string("\x16\x03\x01\xff\xff", 5) + std::string(65'535, 'x')}},
      {"ClientHello of 16 MB announced",
       {record(kHandshake, std::string("\x01\xff\xff\xff", 4) + std::string(16'000, 'x'))}},
      {"ClientHello of zeros",
       {record(kHandshake, std::string("\x01\x00\x00\x40", 4) + std::string(64, '\0'))}},
      {"Finished first", {record(kHandshake, std::string("\x14\x00\x00\x0c", 4) + std::string(12, 'x'))}},
      {"unknown record type", {record(99, "hello")}},
      {"ClientHello of SSL 2", {std::string("\x80\x2e\x01\x00\x02", 5) + std::string(43, 'x')}},
      {"version 9.9", {std::string("\x16\x09\x09\x00\x05hello", 10)}},
      {"random bytes", {"\x7f\x45\x4c\x46\x02\x01\x01 neither TLS nor HTTP"}},
      {"PROXY protocol", {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"}, plain},
      {"plain HTTP", {"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, plain},
      {"plain HTTP without an end", {"GET / HTTP"}, plain},
      {"1 MB of letters", {std::string(1'000'000, 'A')}, plain},
  };
}

std::vector<AdminShape> admin_shapes() {
  return {
      {"metrics", "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", 204},
      {"unknown path", "GET /other HTTP/1.1\r\nHost: a\r\n\r\n", 404},
      {"other method", "DELETE /health HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"no HTTP", "hello\r\n\r\n", kNoAnswer},
      {"bytes above ASCII", "\xff\xfe\xfd\r\n\r\n", kNoAnswer},
      {"head of 1 MB", "GET / HTTP/1.1\r\nX: " + std::string(1'000'000, 'x') + "\r\n\r\n", kNoAnswer},
      {"trailer of 1 MB",
       "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(1'000'000, 'x') +
           "\r\n\r\n",
       kNoAnswer},
      {"extension of 1 MB",
       "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(1'000'000, 'x') + "\r\n",
       kNoAnswer},
      {"length and encoding", "GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
       kNoAnswer},
      {"TLS", client_hello(), kNoAnswer},
  };
}

}  // namespace keystay::test
