// Listeners of mode tcp: bytes both ways, half-close, and every way in which either side can fail.
#include "tests/tlsd/tcp_test.h"

#include <array>
#include <fstream>
#include <future>
#include <string>

#include <sys/socket.h>

#include "tests/support/process.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(TcpTest, RelaysBytesBothWays) {
  serve(echo);
  TlsClient client = connect();
  for (const std::string text : {"no HTTP\r\n", "\x01\x02", "GET / HTTP/1.1\r\n\r\n"}) {
    client.write(text);
    EXPECT_EQ(read_until(client, text), text);
  }
  client.send_close_notify();
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_TRUE(client.ended_in_order());
  EXPECT_TRUE(ended_by("complete"));
  for (const std::string from : {"client", "backend"}) {
    EXPECT_EQ(server_->metric("keystay_tlsd_relayed_bytes_total{from=\"" + from + "\",listener=\"https\"}"),
              29);
  }
  EXPECT_TRUE(nothing_left());
  EXPECT_EQ(log_.count("client"), 0) << log_.text();
}

TEST_F(TcpTest, AServerMaySpeakFirst) {
  serve([](RawSocket& client) {
    client.write("220 ready\r\n");
    echo(client);
  });
  TlsClient client = connect();
  EXPECT_EQ(read_until(client, "\r\n"), "220 ready\r\n");
}

TEST_F(TcpTest, AClientThatHasEndedStillGetsTheAnswer) {
  serve([](RawSocket& client) {
    const std::string request = read_to_end(client);
    client.write("all of " + std::to_string(request.size()));
  });
  TlsClient client = connect();
  client.write(std::string(100'000, 'x'));
  client.send_close_notify();
  EXPECT_EQ(read_to_end(client), "all of 100000");
  EXPECT_TRUE(client.ended_in_order());
  EXPECT_TRUE(ended_by("complete"));
}

TEST_F(TcpTest, AServerThatHasEndedStillGetsTheRest) {
  std::promise<std::string> rest;
  serve([&](RawSocket& client) {
    client.write("bye");
    client.end_sending();
    rest.set_value(read_to_end(client));
  });
  TlsClient client = connect();
  EXPECT_EQ(read_to_end(client), "bye");
  EXPECT_TRUE(client.ended_in_order());
  client.write("one more thing");
  client.send_close_notify();
  EXPECT_EQ(rest.get_future().get(), "one more thing");
  EXPECT_TRUE(ended_by("complete"));
}

// As many clients end theirs. The server gets all that they said, and the log says how they went.
TEST_F(TcpTest, AClientWithoutCloseNotifyIsALineAndAMetric) {
  std::promise<std::string> got;
  serve([&](RawSocket& client) { got.set_value(read_to_end(client)); });
  {
    TlsClient client = connect();
    client.write("QUIT\r\n");
    client.socket().end_sending();
    EXPECT_EQ(got.get_future().get(), "QUIT\r\n");
  }
  EXPECT_TRUE(ended_by("client"));
  EXPECT_TRUE(log_.wait_for("connection broken off by the client: it ended without close_notify"))
      << log_.text();
  EXPECT_TRUE(nothing_left());
}

TEST_F(TcpTest, AClientThatVanishesResetsTheServersConnection) {
  std::promise<int> end;
  serve([&](RawSocket& client) {
    EXPECT_EQ(client.read_some(), "half of");
    char byte = 0;
    const ssize_t size = ::recv(client.descriptor(), &byte, 1, 0);
    end.set_value(size < 0 ? errno : 0);
  });
  TlsClient client = connect();
  client.write("half of");
  EXPECT_TRUE(
      server_->wait_for_metric(R"(keystay_tlsd_relayed_bytes_total{from="client",listener="https"})", 7));
  client.socket().reset();
  EXPECT_EQ(end.get_future().get(), ECONNRESET);
  EXPECT_TRUE(ended_by("client"));
  EXPECT_TRUE(log_.wait_for("connection broken off by the client: Connection reset by peer")) << log_.text();
  EXPECT_EQ(faults("broken_off"), 0);
  EXPECT_TRUE(nothing_left());
}

TEST_F(TcpTest, AServerThatDiesIsNoOrderlyEnd) {
  serve([](RawSocket& client) {
    client.write("half of");
    EXPECT_EQ(client.read_some(), "go on");
    client.reset();
  });
  TlsClient client = connect();
  EXPECT_EQ(read_until(client, "half of"), "half of");
  client.write("go on");
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(ended_by("backend"));
  EXPECT_TRUE(log_.wait_for("warning: listener https: client 127.0.0.1:")) << log_.text();
  EXPECT_THAT(log_.text(), HasSubstr("connection broken off: backend app, 127.0.0.1:" +
                                     std::to_string(backend_->port()) + ": Connection reset by peer"));
  EXPECT_EQ(faults("broken_off"), 1);
  EXPECT_TRUE(nothing_left());
}

TEST_F(TcpTest, AServerThatRefusesIsALineAndAMetric) {
  const auto port = free_port();
  app_.servers = {{"127.0.0.1", port}};
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client = connect();
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(log_.wait_for("connection given up: backend app, 127.0.0.1:" + std::to_string(port) +
                            " cannot be reached: Connection refused"))
      << log_.text();
  EXPECT_EQ(faults("unreachable"), 1);
  EXPECT_TRUE(ended_by("backend"));
  EXPECT_TRUE(nothing_left());
}

TEST_F(TcpTest, ADeadServerOfSeveralIsPassedOver) {
  backend_ = std::make_unique<TestBackend>(echo);
  app_.servers = {{"127.0.0.1", free_port()}, {"127.0.0.1", backend_->port()}};
  server_ = std::make_unique<TestServer>(settings_);
  for (int i = 0; i < 4; ++i) {
    TlsClient client = connect();
    client.write("x");
    EXPECT_EQ(client.read_some(), "x");
  }
}

// A server that accepts and then does nothing holds its connection until idle-timeout, and nobody else's.
TEST_F(TcpTest, AConnectionWhereNothingMovesEnds) {
  listener_.idle_timeout = 300ms;
  serve([](RawSocket& client) { read_to_end(client); });
  TlsClient client = connect();
  client.write("hello?");
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(ended_by("idle"));
  EXPECT_TRUE(log_.wait_for("connection given up: nothing moved for idle-timeout")) << log_.text();
  EXPECT_TRUE(nothing_left());
}

TEST_F(TcpTest, AServerThatTakesNothingHoldsTheClientBack) {
  listener_.idle_timeout = 500ms;
  std::promise<void> done;
  serve([end = done.get_future().share()](RawSocket&) { end.wait(); });
  TlsClient client = connect();
  const std::string piece(65536, 'x');
  std::size_t written = 0;
  while (client.write(piece)) written += piece.size();
  done.set_value();
  EXPECT_LT(written, std::size_t{64} << 20U) << "it was taken and held";
  EXPECT_TRUE(ended_by("idle"));
}

TEST_F(TcpTest, AStopWaitsForConnectionsAndThenCutsThem) {
  settings_.drain_timeout = 1s;
  serve(echo);
  TlsClient ends = connect();
  TlsClient stays = connect();
  for (TlsClient* client : {&ends, &stays}) {
    client->write("before");
    EXPECT_EQ(client->read_some(), "before");
  }
  server_->stop();
  EXPECT_TRUE(log_.wait_for("stopping: requests in flight")) << log_.text();
  ends.write("after");
  EXPECT_EQ(ends.read_some(), "after");
  ends.send_close_notify();
  EXPECT_EQ(read_to_end(ends), "");
  EXPECT_TRUE(ends.ended_in_order());
  EXPECT_EQ(read_to_end(stays), "");
  EXPECT_FALSE(stays.ended_in_order());
  EXPECT_EQ(server_->end(), tlsd::Server::End::cut);
}

TEST_F(TcpTest, AStopEndsWithTheLastConnection) {
  settings_.drain_timeout = 60s;
  serve(echo);
  TlsClient client = connect();
  server_->stop();
  client.write("x");
  EXPECT_EQ(client.read_some(), "x");
  client.send_close_notify();
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_EQ(server_->end(), tlsd::Server::End::drained);
}

TEST_F(TcpTest, PlainTextOnItsPortIsALine) {
  serve(echo);
  RawSocket client = RawSocket::connect(server_->port());
  client.write("EHLO localhost\r\n");
  EXPECT_EQ(read_to_end(client), "");
  EXPECT_TRUE(log_.wait_for("plain text on a TLS port")) << log_.text();
}

// Bytes of the resident set, in KiB (proc(5)).
std::size_t resident() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t size = 0;
    if (word == "VmRSS:" && status >> size) return size;
  }
  return 0;
}

TEST_F(TcpTest, AGigabyteBothWaysAtOnceNeedsNoMemory) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  constexpr std::size_t kAll = std::size_t{64} << 20U;  // sanitizers take their time, and memory of their own
  constexpr std::size_t kMostMemory = std::size_t{1} << 20U;
#else
  constexpr std::size_t kAll = std::size_t{1} << 30U;
  constexpr std::size_t kMostMemory = 64U * 1024;
#endif
  const std::string piece(1 << 20U, 'x');
  const auto send_all = [&](auto& connection) {
    for (std::size_t sent = 0; sent < kAll; sent += piece.size())
      if (!connection.write(piece)) return;
  };
  const auto receive_all = [](auto& connection) {
    std::size_t received = 0;
    while (received < kAll) {
      const std::size_t size = connection.read_some().size();
      if (size == 0) break;
      received += size;
    }
    return received;
  };
  std::promise<std::size_t> server_received;
  serve([&](RawSocket& client) {
    auto sending = std::async(std::launch::async, [&] { send_all(client); });
    const std::size_t all = receive_all(client);
    sending.get();  // before the test ends, and what is sent with it
    server_received.set_value(all);
  });
  TlsClient client = connect();
  const std::size_t before = resident();
  std::size_t most = before;
  std::size_t received = 0;
  for (std::size_t sent = 0; sent < kAll; sent += piece.size()) {
    ASSERT_TRUE(client.write(piece));
    for (std::size_t taken = 0; taken < piece.size() && received < kAll;) {
      const std::string some = client.read_some();
      ASSERT_FALSE(some.empty()) << client.reason();
      taken += some.size();
      received += some.size();
    }
    most = std::max(most, resident());
  }
  while (received < kAll) {
    const std::string some = client.read_some();
    ASSERT_FALSE(some.empty()) << client.reason();
    received += some.size();
  }
  EXPECT_EQ(server_received.get_future().get(), kAll);
  EXPECT_LT(most - before, kMostMemory) << "KiB";
}

}  // namespace
}  // namespace keystay::test
