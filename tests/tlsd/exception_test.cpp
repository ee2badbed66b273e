// An exception, wherever it is thrown, ends at most the connection that it belongs to: every single
// allocation of the server is made to fail in its turn, and the next client is served as if nothing had been.
#include <array>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tlsd/failing_allocation.h"
#include "tests/tlsd/http2_client.h"
#include "tests/tlsd/http_test.h"
#include "tests/tlsd/pausing_key.h"
#include "tests/tlsd/stream_bench.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

constexpr char kConnections[] = R"(keystay_tlsd_connections{listener="https"})";
constexpr char kGivenUp[] = R"(keystay_tlsd_connections_given_up_total{listener="https"})";

constexpr char kUpload[] = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
constexpr char kChunkedUpload[] =
    "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
constexpr char kUpgrade[] =
    "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

void answer(RawSocket& client) {
  for (;;) {
    const std::string head = read_until(client, "\r\n\r\n");
    if (head.empty()) return;
    const bool chunked = head.starts_with("POST /chunked");
    const std::string end = chunked ? "\r\n0\r\n\r\n" : "hello";
    if (head.starts_with("POST") && !head.ends_with(end)) read_until(client, end);
    if (head.starts_with("GET /upgrade")) {
      client.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi");
      return;
    }
    if (head.starts_with("POST")) client.write("HTTP/1.1 103 Early Hints\r\n\r\n");
    client.write(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                         : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  }
}

// A backend in a process of its own: its allocations are nobody's concern.
class BackendProcess final {
 public:
  BackendProcess() {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const TestBackend backend(answer);
      const std::uint16_t port = backend.port();
      static_cast<void>(::write(pipe[1], &port, sizeof port) == sizeof port);
      for (;;) ::pause();
    }
    if (::read(pipe[0], &port_, sizeof port_) != sizeof port_) throw std::runtime_error("no backend");
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  BackendProcess(const BackendProcess&) = delete;
  BackendProcess& operator=(const BackendProcess&) = delete;
  ~BackendProcess() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  pid_t process_ = -1;
  std::uint16_t port_ = 0;
};

class ExceptionTest : public testing::Test {
 protected:
  ExceptionTest() { exempt_this_thread(); }

  // `talk` with each allocation of the server failing in its turn, until it makes no more of them.
  void sweep(const std::function<void()>& talk) {
    ASSERT_TRUE(is_served());  // its only thread has started
    constexpr std::size_t kMostAllocations = 5000;
    std::size_t nth = 1;
    for (bool failed = true; failed; ++nth) {
      ASSERT_LT(nth, kMostAllocations);
      {
        const FailingAllocation failing(nth);
        talk();
        failed = failing.failed();
      }
      SCOPED_TRACE("allocation " + std::to_string(nth));
      ASSERT_TRUE(is_served());
    }
    EXPECT_GT(nth, 10U) << "nothing was made to fail";
    EXPECT_TRUE(server_.wait_for_metric(kConnections, 0));
  }

  bool is_served() {
    TlsClient client(server_.port());
    return client.handshake() && send_request(client, kGet).body == "hello";
  }

  void converse(std::string_view request) {
    TlsClient client(server_.port());
    if (!client.handshake()) return;
    client.write(request);
    client.send_close_notify();
    read_to_end(client);
  }

  // One thread: of several, one may still start, and fail for want of memory, while another one serves.
  static config::TlsdSettings with_one_thread(config::TlsdSettings settings) {
    settings.threads = 1;
    settings.drain_timeout = std::chrono::seconds(5);
    return settings;
  }

  TemporaryDirectory directory_;
  BackendProcess backend_;
  config::TlsdSettings settings_ = with_one_thread(simple_settings(directory_, backend_.port()));
  TestServer server_{settings_};
};

TEST_F(ExceptionTest, AnyAllocationOfAConnectionMayFail) {
  sweep([&] { converse(kGet); });
  EXPECT_GT(server_.metric(kGivenUp), 0);
  server_.stop();
  EXPECT_EQ(server_.end(), tlsd::Server::End::drained) << "a connection is still counted";
}

// A request of HTTP/2 ends by itself, or with its connection.
TEST_F(ExceptionTest, AnyAllocationOfHttp2MayFail) {
  sweep([&] {
    try {
      Http2Client client(server_.port());
      const std::int32_t stream = client.next_stream();
      client.write(headers_bytes(stream, request_fields("POST", "/chunked"), NGHTTP2_FLAG_END_HEADERS) +
                   data_bytes(stream, "hello", NGHTTP2_FLAG_END_STREAM));
      static_cast<void>(client.response(stream));
      client.tls().send_close_notify();
      static_cast<void>(client.goaway());
    } catch (const std::runtime_error&) {
      // No handshake.
    }
  });
  server_.stop();
  EXPECT_EQ(server_.end(), tlsd::Server::End::drained);
}

TEST_F(ExceptionTest, AnyAllocationOfAnUploadMayFail) {
  sweep([&] { converse(kUpload); });
  server_.stop();
  EXPECT_EQ(server_.end(), tlsd::Server::End::drained);
}

TEST_F(ExceptionTest, AnyAllocationOfChunkedBodiesMayFail) {
  sweep([&] { converse(kChunkedUpload); });
  server_.stop();
  EXPECT_EQ(server_.end(), tlsd::Server::End::drained);
}

TEST_F(ExceptionTest, AnyAllocationOfATunnelMayFail) {
  sweep([&] { converse(kUpgrade); });
  server_.stop();
  EXPECT_EQ(server_.end(), tlsd::Server::End::drained);
}

// A place that becomes free is told to the listener that waits for it, whatever becomes of the telling.
class ConnectionLimitExceptionTest : public ExceptionTest {
 protected:
  static config::TlsdSettings with_one_place(config::TlsdSettings settings) {
    settings.listeners.front().max_connections = 1;
    return settings;
  }
  TestServer full_{with_one_place(settings_)};
};

TEST_F(ConnectionLimitExceptionTest, AnyAllocationAtTheLimitMayFail) {
  const auto is_served_by_full = [&] {
    TlsClient client(full_.port());
    return client.handshake() && send_request(client, kGet).body == "hello";
  };
  ASSERT_TRUE(is_served());
  ASSERT_TRUE(is_served_by_full());
  std::size_t nth = 1;
  for (bool failed = true; failed; ++nth) {
    ASSERT_LT(nth, 5000U);
    {
      const FailingAllocation failing(nth);
      TlsClient first(full_.port());
      const bool served = first.handshake();
      const RawSocket second = RawSocket::connect(full_.port());  // waits for the place of the first one
      if (served) {
        first.write(kGet);
        first.send_close_notify();
        read_to_end(first);
      }
      failed = failing.failed();
    }
    SCOPED_TRACE("allocation " + std::to_string(nth));
    ASSERT_TRUE(is_served_by_full());
  }
  EXPECT_GT(nth, 10U) << "nothing was made to fail";
  EXPECT_TRUE(full_.wait_for_metric(kConnections, 0));
}

class TcpExceptionTest : public ExceptionTest {
 protected:
  static config::TlsdSettings of_mode_tcp(config::TlsdSettings settings) {
    settings.listeners.push_back(settings.listeners.front());
    settings.listeners.back().name = "tcp";
    settings.listeners.back().mode = config::ListenerMode::tcp;
    settings.backends["app"].send_proxy = config::SendProxy::none;
    return settings;
  }
  TestServer both_{of_mode_tcp(settings_)};
};

TEST_F(TcpExceptionTest, AnyAllocationOfARelayMayFail) {
  const auto talk = [&](std::string_view request) {
    TlsClient client(both_.port(1));
    if (!client.handshake()) return std::string();
    client.write(request);
    client.send_close_notify();
    return read_to_end(client);
  };
  ASSERT_TRUE(is_served());  // the only thread of either has started
  ASSERT_THAT(talk(kGet), HasSubstr("hello"));
  std::size_t nth = 1;
  for (bool failed = true; failed; ++nth) {
    ASSERT_LT(nth, 5000U);
    {
      const FailingAllocation failing(nth);
      talk(kGet);
      failed = failing.failed();
    }
    ASSERT_THAT(talk(kGet), HasSubstr("hello")) << "after allocation " << nth;
  }
  EXPECT_GT(nth, 10U) << "nothing was made to fail";
  EXPECT_TRUE(both_.wait_for_metric(R"(keystay_tlsd_connections{listener="tcp"})", 0));
}

// A job that is paused when an allocation fails is not lost, and the key is not woken for what is no more.
TEST(ExceptionInAHandshake, LosesNoJobThatIsPaused) {
  exempt_this_thread();
  PausingKey key(PausingKey::Wakes::by_itself);
  StreamBench bench({.handshake_limit = std::chrono::seconds(1), .abandon = &PausingKey::abandon});
  key.install(bench.context(), 2);
  std::size_t nth = 1;
  for (bool failed = true; failed; ++nth) {
    SCOPED_TRACE("allocation " + std::to_string(nth));
    ASSERT_LT(nth, 2000U);
    ASSERT_TRUE(bench.idle());  // the client before has left: the stream that is waited for is this one's
    RawSocket client = RawSocket::connect(bench.port());
    ASSERT_TRUE(bench.wait_until_open(1));
    bench.on_thread([] {});  // it waits for the next one already: that may not fail
    {
      const FailingAllocation failing(nth);
      client.write(client_hello());
      static_cast<void>(client.read_some());
      failed = failing.failed();
    }
    client.close();
    ASSERT_TRUE(bench.idle());
    ASSERT_EQ(bench.paused(), 0);
    TlsClient next(bench.port());
    ASSERT_TRUE(next.handshake()) << next.reason();
  }
  EXPECT_GT(nth, 2U) << "nothing was made to fail";
}

TEST_F(ExceptionTest, AnyAllocationOfTheAdministratorsMayFail) {
  const auto get = [&](std::string_view path) {
    RawSocket admin = RawSocket::connect(server_.admin_port());
    admin.write("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    return read_to_end(admin);
  };
  sweep([&] {
    get("/health");
    get("/metrics");
  });
  EXPECT_THAT(get("/health"), HasSubstr("HTTP/1.1 204"));
  EXPECT_GT(server_.metric(R"(keystay_tlsd_connections_given_up_total{listener="admin"})"), 0);
}

}  // namespace
}  // namespace keystay::test
