// A listener behind proxies: the address that a header names is the one that counts.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/tlsd/tcp_test.h"
#include "tlsd/tcp/proxy_protocol.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr char kHeader[] = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

class AcceptProxyTest : public HttpTest {
 protected:
  AcceptProxyTest() { listener_.accept_proxy.networks = {*config::AddressRange::parse("127.0.0.0/8")}; }
  // Before log_ goes: no thread may write to it then.
  void TearDown() override { server_.reset(); }

  // The head that the backend gets of a client that a proxy introduces so.
  [[nodiscard]] std::string head_behind(std::string_view header) const {
    TlsClient client(server_->port());
    client.socket().write(header);
    if (!client.handshake()) return client.reason();
    return send_request(client, kGet).body;
  }
  [[nodiscard]] double handshakes(const std::string& result) const {
    return server_->metric("keystay_tlsd_handshakes_total{listener=\"https\",result=\"" + result + "\"}");
  }

  LogCapture log_;
};

TEST_F(AcceptProxyTest, TheClientIsWhoTheHeaderNames) {
  serve(TestBackend::echo_head());
  EXPECT_THAT(head_behind(kHeader), HasSubstr("X-Forwarded-For: 192.0.2.1\r\n"));
  const std::string v2 = tlsd::proxy_header({tlsd::asio::ip::make_address("2001:db8::7"), 1},
                                            {tlsd::asio::ip::make_address("2001:db8::8"), 443},
                                            {"TLSv1.3", "TLS_AES_256_GCM_SHA384", "h2", "localhost"});
  EXPECT_THAT(head_behind(v2), HasSubstr("X-Forwarded-For: 2001:db8::7\r\n"));
}

TEST_F(AcceptProxyTest, AProxyMaySpeakForItself) {
  serve(TestBackend::echo_head());
  EXPECT_THAT(head_behind("PROXY UNKNOWN\r\n"), HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(head_behind(std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)),
              HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
}

TEST_F(AcceptProxyTest, TheHeaderMayComeByteByByte) {
  serve(TestBackend::echo_head());
  TlsClient client(server_->port());
  for (const char c : std::string_view(kHeader)) client.socket().write({&c, 1});
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_THAT(send_request(client, kGet).body, HasSubstr("X-Forwarded-For: 192.0.2.1\r\n"));
}

TEST_F(AcceptProxyTest, AllowAndDenyAreAboutTheClient) {
  listener_.allow = {*config::AddressRange::parse("192.0.2.0/24")};
  listener_.deny = {*config::AddressRange::parse("192.0.2.66")};
  serve(TestBackend::echo_head());
  EXPECT_THAT(head_behind(kHeader), HasSubstr("X-Forwarded-For: 192.0.2.1\r\n"));
  EXPECT_THAT(head_behind("PROXY TCP4 192.0.2.66 198.51.100.1 1 443\r\n"), Not(HasSubstr("X-Forwarded-For")));
  EXPECT_THAT(head_behind("PROXY TCP4 203.0.113.1 198.51.100.1 1 443\r\n"),
              Not(HasSubstr("X-Forwarded-For")));
  EXPECT_THAT(head_behind("PROXY UNKNOWN\r\n"), Not(HasSubstr("X-Forwarded-For")));
  EXPECT_TRUE(log_.wait_for("client 192.0.2.66:1: refused: the listener denies the address (deny)"));
  EXPECT_TRUE(
      log_.wait_for("client 203.0.113.1:1: refused: the listener does not allow the address (allow)"));
  EXPECT_EQ(handshakes("client_address"), 3);
}

TEST_F(AcceptProxyTest, WithoutAHeaderAProxyIsRefused) {
  serve(TestBackend::hello());
  TlsClient client(server_->port());
  EXPECT_FALSE(client.handshake());
  EXPECT_TRUE(log_.wait_for("refused: as a proxy (accept-proxy): no header of the PROXY protocol"))
      << log_.text();
  EXPECT_EQ(handshakes("proxy_header"), 1);
}

TEST_F(AcceptProxyTest, AHeaderThatDoesNotComeEndsWithHandshakeTimeout) {
  listener_.handshake_timeout = 200ms;
  serve(TestBackend::hello());
  RawSocket client = RawSocket::connect(server_->port());
  client.write("PROXY TCP4 192.0.2.1");
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(log_.wait_for("TLS handshake timed out: no header of the PROXY protocol came")) << log_.text();
  EXPECT_EQ(handshakes("timed_out"), 1);
}

TEST_F(AcceptProxyTest, AHeaderTakesOfTheTimeOfTheHandshake) {
  listener_.handshake_timeout = 300ms;
  serve(TestBackend::hello());
  RawSocket client = RawSocket::connect(server_->port());
  client.write(kHeader);
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(log_.wait_for("client 192.0.2.1:56324: TLS handshake timed out")) << log_.text();
}

TEST_F(AcceptProxyTest, OthersAreTakenAtTheirWord) {
  listener_.accept_proxy.networks = {*config::AddressRange::parse("10.0.0.0/8")};
  serve(TestBackend::echo_head());
  EXPECT_THAT(answer(kGet).body, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));
  EXPECT_THAT(head_behind(kHeader), Not(HasSubstr("192.0.2.1")));
}

TEST_F(AcceptProxyTest, ClosesAProxyThatSaysNothingAtAStop) {
  serve(TestBackend::hello());
  settings_.drain_timeout = 1ms;
  RawSocket client = RawSocket::connect(server_->port());
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 1));
  server_->stop();
  server_->stop();
  EXPECT_EQ(server_->end(), tlsd::Server::End::cut);
  EXPECT_EQ(client.read_some(), "");
}

class AcceptProxyTcpTest : public TcpTest {};

TEST_F(AcceptProxyTcpTest, TellsTheServerBehindOfTheClient) {
  listener_.accept_proxy.networks = {*config::AddressRange::parse("127.0.0.1")};
  app_.send_proxy = config::SendProxy::v2;
  serve(echo);
  TlsClient client(server_->port());
  client.socket().write(kHeader);
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("x");
  std::string sent;
  while (sent.find('x') == std::string::npos) {
    const std::string more = client.read_some();
    ASSERT_FALSE(more.empty());
    sent += more;
  }
  EXPECT_EQ(sent.substr(12, 2), "\x21\x11");
  EXPECT_EQ(sent.substr(16, 12), std::string("\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb", 12));
}

// --- UNIX sockets
// ---------------------------------------------------------------------------------------------------

class UnixListenerTest : public AcceptProxyTest {
 protected:
  UnixListenerTest() {
    listener_.bind.clear();
    listener_.sockets = {path_};
    listener_.accept_proxy.networks.clear();
  }
  [[nodiscard]] RawSocket connect_to_socket() const {
    Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return RawSocket(std::move(descriptor));
  }

  const std::string path_ = (directory_.path() / "tls.sock").string();
};

TEST_F(UnixListenerTest, ServesOnASocket) {
  serve(TestBackend::echo_head());
  TlsClient client(connect_to_socket());
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_THAT(send_request(client, kGet).body, HasSubstr("X-Forwarded-For: unknown\r\n"));
}

TEST_F(UnixListenerTest, TakesTheHeaderOfAProxyThere) {
  listener_.accept_proxy.sockets = true;
  serve(TestBackend::echo_head());
  TlsClient client(connect_to_socket());
  client.socket().write(kHeader);
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_THAT(send_request(client, kGet).body, HasSubstr("X-Forwarded-For: 192.0.2.1\r\n"));
}

TEST_F(UnixListenerTest, ReplacesASocketThatNobodyListensOnAndNoOther) {
  serve(TestBackend::hello());
  EXPECT_THROW(TestServer second(settings_), std::runtime_error);
  server_.reset();
  server_ = std::make_unique<TestServer>(settings_);
  TlsClient client(connect_to_socket());
  EXPECT_TRUE(client.handshake()) << client.reason();
}

TEST_F(UnixListenerTest, DoesNotReplaceAFile) {
  directory_.write("tls.sock", "precious");
  EXPECT_THROW(TestServer server(settings_), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

}  // namespace
}  // namespace keystay::test
