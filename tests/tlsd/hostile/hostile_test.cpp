// keystay-tlsd, the program, against hostile peers: each shape has its outcome, after each the next client is
// served, and all of them together cost a bounded amount of memory.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "tests/support/process.h"
#include "tests/tlsd/hostile/shapes.h"
#include "tests/tlsd/http_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// What the server may grow by, from its first requests to its end: far less than one flood. AddressSanitizer
// keeps freed memory for a while, and puts zones around what is not freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr long kMostGrowth = 96 * 1024;  // KiB
#else
constexpr long kMostGrowth = 24 * 1024;
#endif

// A request with its body; nothing if the connection ends before.
std::string read_request(RawSocket& client, std::string& rest) {
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  parser.body_limit(boost::none);
  parser.header_limit(65'536);
  std::string bytes;
  boost::system::error_code error;
  while (!parser.is_done()) {
    if (!rest.empty()) {
      const std::size_t used = parser.put(boost::asio::buffer(rest), error);
      bytes += rest.substr(0, used);
      rest.erase(0, used);
      if (parser.is_done()) break;
      if (error && error != http::error::need_more) return {};
    }
    const std::string more = client.read_some();
    if (more.empty()) return {};
    rest += more;
  }
  return bytes;
}

// Echoes requests; answers GET /shape/N with the Nth of the backend's shapes, and closes.
void behave(RawSocket& client, const std::vector<BackendShape>& shapes) {
  constexpr std::string_view kShape = "GET /shape/";
  std::string rest;
  for (std::string request = read_request(client, rest); !request.empty();
       request = read_request(client, rest)) {
    if (request.starts_with(kShape)) {
      const BackendShape& shape = shapes.at(std::stoul(request.substr(kShape.size())));
      for (const std::string& piece : shape.pieces) client.write(piece);
      client.end_sending();
      read_to_end(client);
      return;
    }
    client.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(request.size()) + "\r\n\r\n" +
                 request);
  }
}

class HostileTest : public testing::Test {
 protected:
  HostileTest() {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets with write(2)
    const std::string certificate =
        write_certificate(directory_, "localhost.pem", KeyKind::ec, {"localhost"});
    const auto file = directory_.write(
        "keystay.toml", "[tlsd]\nthreads = 2\nadmin = \"127.0.0.1:" + std::to_string(admin_port_) +
                            "\"\n[[tlsd.listener]]\nname = \"https\"\nbind = [\"127.0.0.1:" +
                            std::to_string(port_) + "\"]\ncertificates = [\"" + certificate +
                            "\"]\nbackend = \"app\"\n[tlsd.backend.app]\nservers = [\"127.0.0.1:" +
                            std::to_string(backend_.port()) + "\"]\n");
    server_.emplace(
        Arguments{std::string(std::getenv("KEYSTAY_BUILD")) + "/bin/keystay-tlsd", "-c", file.string()},
        RunOptions{
            .environment = {{"ASAN_OPTIONS", "quarantine_size_mb=4:thread_local_quarantine_size_kb=64"}}});
    if (!wait_for_port(port_)) throw std::runtime_error("keystay-tlsd does not listen: " + server_->error());
  }

  // In KiB, at its highest.
  [[nodiscard]] long memory() const {
    std::ifstream status("/proc/" + std::to_string(server_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    }
    return -1;
  }

  [[nodiscard]] bool serves() {
    TlsClient client(port_);
    return client.handshake() && send_request(client, kGet).status == 200U;
  }

  void expect_still_serving() {
    ASSERT_TRUE(server_->running()) << server_->error();
    ASSERT_TRUE(serves());
  }

  void end(TlsClient& client, Ending ending) {
    if (ending == Ending::half_closes) client.send_close_notify();
    if (ending == Ending::half_closes) client.socket().end_sending();
    if (ending == Ending::resets) client.socket().reset();
  }

  void try_client(const ClientShape& shape) {
    TlsClient client(port_);
    ASSERT_TRUE(client.handshake()) << client.reason();
    for (const std::string& piece : shape.pieces) {
      if (!client.write(piece)) break;  // refused already
    }
    end(client, shape.ending);
    if (shape.ending == Ending::resets) return;
    const HttpResponse response = read_response(client);
    EXPECT_EQ(response.status, shape.status) << response.body;
    if (shape.status == 200) {
      EXPECT_THAT(response.body, HasSubstr(shape.seen));
      if (!shape.unseen.empty()) {
        EXPECT_THAT(response.body, Not(HasSubstr(shape.unseen)));
      }
    } else if (shape.status != kNoAnswer) {
      EXPECT_FALSE(response.keep_alive);
      EXPECT_EQ(client.read_some(), "") << "what follows was answered, too";
    }
  }

  void try_backend(const BackendShape& shape, std::size_t number) {
    TlsClient client(port_);
    ASSERT_TRUE(client.handshake()) << client.reason();
    client.write("GET /shape/" + std::to_string(number) +
                 " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const std::string response = read_to_end(client);
    EXPECT_THAT(response, testing::StartsWith("HTTP/1.1 " + std::to_string(shape.status)))
        << response.substr(0, 200);
    EXPECT_THAT(response, HasSubstr(shape.seen));
    if (!shape.unseen.empty()) {
      EXPECT_THAT(response, Not(HasSubstr(shape.unseen)));
    }
    EXPECT_EQ(client.ended_in_order(), shape.body == BackendShape::Body::complete);
  }

  void try_tls(const TlsShape& shape) {
    RawSocket client = RawSocket::connect(port_);
    for (const std::string& piece : shape.pieces) {
      if (!client.write(piece)) break;
    }
    client.end_sending();
    const std::string answer = read_to_end(client);
    if (!shape.seen.empty()) {
      EXPECT_THAT(answer, testing::StartsWith(shape.seen));
    } else {
      EXPECT_THAT(answer, Not(HasSubstr("HTTP/")));
    }
  }

  void try_admin(const AdminShape& shape) {
    RawSocket client = RawSocket::connect(admin_port_);
    client.write(shape.request);
    client.end_sending();
    EXPECT_EQ(read_response(client).status, shape.status);
  }

  // `piece` again and again, until the server does not want more or `most` bytes are sent.
  void flood(const std::string& begin, const std::string& piece, std::size_t most) {
    TlsClient client(port_);
    ASSERT_TRUE(client.handshake()) << client.reason();
    bool taken = client.write(begin);
    for (std::size_t sent = 0; taken && sent < most; sent += piece.size()) taken = client.write(piece);
  }

  std::vector<BackendShape> backend_shapes_ = backend_shapes();
  TestBackend backend_{[this](RawSocket& client) { behave(client, backend_shapes_); }};
  TemporaryDirectory directory_;
  std::uint16_t port_ = free_port();
  std::uint16_t admin_port_ = free_port();
  std::optional<Process> server_;
};

TEST_F(HostileTest, EveryShapeHasItsOutcomeAndCostsNobodyElse) {
  std::vector<ClientShape> clients = framing_shapes();
  std::ranges::move(head_shapes(), std::back_inserter(clients));
  std::ranges::move(chunk_shapes(), std::back_inserter(clients));
  const std::vector<TlsShape> tls = tls_shapes();
  const std::vector<AdminShape> admin = admin_shapes();
  EXPECT_GE(clients.size() + backend_shapes_.size() + tls.size() + admin.size(), 200U);

  for (int i = 0; i < 50; ++i) ASSERT_TRUE(serves());
  const long before = memory();
  ASSERT_GT(before, 0);
  for (const ClientShape& shape : clients) {
    SCOPED_TRACE(std::string("client: ") + shape.name);
    try_client(shape);
    expect_still_serving();
  }
  for (std::size_t i = 0; i < backend_shapes_.size(); ++i) {
    SCOPED_TRACE(std::string("backend: ") + backend_shapes_[i].name);
    try_backend(backend_shapes_[i], i);
    expect_still_serving();
  }
  for (const TlsShape& shape : tls) {
    SCOPED_TRACE(std::string("below TLS: ") + shape.name);
    try_tls(shape);
    expect_still_serving();
  }
  for (const AdminShape& shape : admin) {
    SCOPED_TRACE(std::string("administrator: ") + shape.name);
    try_admin(shape);
    expect_still_serving();
  }
  EXPECT_LT(memory() - before, kMostGrowth);
  const Outcome outcome = server_->stop(60s);
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
}

TEST_F(HostileTest, NoFloodCostsMoreThanItsBuffers) {
  constexpr std::size_t kFlood = 200'000'000;
  const std::string chunked = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string piece(16'000, 'x');
  std::string chunks;  // small ones with large extensions
  for (int i = 0; i < 100; ++i) chunks += "1;a=" + std::string(150, 'b') + "\r\nx\r\n";
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(serves());
  const long before = memory();
  const std::vector<std::pair<std::string, std::string>> floods{
      {chunked + "1;a=", piece},
      {chunked, chunks},
      {chunked + "0\r\nX: ", piece},
      {chunked + "0\r\n", "X: y\r\nX: y\r\nX: y\r\n"},
      {"GET /", piece},
      {"GET / HTTP/1.1\r\nX: ", piece},
      {"GET / HTTP/1.1\r\n", "X:\r\nX:\r\nX:\r\n"},
  };
  for (const auto& [begin, flooding] : floods) {
    SCOPED_TRACE(begin + flooding.substr(0, 10));
    flood(begin, flooding, kFlood);
    expect_still_serving();
    EXPECT_LT(memory() - before, kMostGrowth);
  }
}

// Requests in a pipeline, and a client that reads none of the answers: the server stops reading.
TEST_F(HostileTest, AClientThatDoesNotReadIsNotReadFrom) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(serves());
  const long before = memory();
  std::vector<std::unique_ptr<TlsClient>> clients;
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += "GET /p HTTP/1.1\r\nHost: a\r\nX: " + std::string(10'000, 'y') + "\r\n\r\n";
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<TlsClient>(port_));
    ASSERT_TRUE(clients.back()->handshake());
    const timeval limit{0, 300'000};
    ::setsockopt(clients.back()->socket().descriptor(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    bool taken = true;
    for (int n = 0; taken && n < 40; ++n) taken = clients.back()->write(requests);
    EXPECT_FALSE(taken) << "40 MB of requests were read";
    expect_still_serving();
  }
  EXPECT_LT(memory() - before, kMostGrowth);
}

TEST(HostileShapes, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  const auto add = [&](const char* kind, const auto& shapes) {
    for (const auto& shape : shapes)
      EXPECT_TRUE(names.insert(std::string(kind) + shape.name).second) << shape.name;
  };
  add("framing ", framing_shapes());
  add("head ", head_shapes());
  add("chunk ", chunk_shapes());
  add("backend ", backend_shapes());
  add("tls ", tls_shapes());
  add("admin ", admin_shapes());
  EXPECT_GE(names.size(), 200U);
}

}  // namespace
}  // namespace keystay::test
