// TLS as clients of a whole server see it: names, key types, versions, tickets, ports, limits.
#include "tests/tlsd/server_test.h"

#include <future>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/support/process.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kRsa[] = "RSA-PSS+SHA256";
constexpr char kEcdsa[] = "ECDSA+SHA256";
TEST_F(ServerTest, ServesTheCertificateOfTheName) {
  listener_.certificates = {certificate("one.pem", KeyKind::ec, {"one.example", "uno.example"}),
                            certificate("two.pem", KeyKind::ec, {"two.example"}),
                            certificate("any.pem", KeyKind::ec, {"*.wild.example"})};
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(leaf(server, {.server_name = "one.example", .version = version}), "one.example EC");
    EXPECT_EQ(leaf(server, {.server_name = "UNO.example", .version = version}), "one.example EC");
    EXPECT_EQ(leaf(server, {.server_name = "two.example", .version = version}), "two.example EC");
    EXPECT_EQ(leaf(server, {.server_name = "a.wild.example", .version = version}), "*.wild.example EC");
  }
}

// The kernel spreads connections by chance: of 64 pairs, some come to one thread.
TEST_F(ServerTest, TwoConnectionsDoNotShareAThreadWhileAnotherHasNone) {
  TestServer server(settings_);
  constexpr char kMoved[] = "keystay_tlsd_connections_moved_total";
  for (int i = 0; i < 64 && server.metric(kMoved) == 0; ++i) {
    TlsClient first(server.port());
    ASSERT_TRUE(first.handshake()) << first.reason();
    TlsClient second(server.port());
    ASSERT_TRUE(second.handshake()) << second.reason();
    EXPECT_EQ(send_request(first, kGet).body, "hello");
    EXPECT_EQ(send_request(second, kGet).body, "hello");
  }
  EXPECT_GT(server.metric(kMoved), 0);
}

TEST_F(ServerTest, ServesTheFirstCertificateWhereNoNameMatches) {
  listener_.certificates = {certificate("one.pem", KeyKind::ec, {"one.example"}),
                            certificate("two.pem", KeyKind::ec, {"two.example"})};
  TestServer server(settings_);
  EXPECT_EQ(leaf(server, {}), "one.example EC");
  EXPECT_EQ(leaf(server, {.server_name = "three.example"}), "one.example EC");
  EXPECT_EQ(leaf(server, {.server_name = "a.two.example"}), "one.example EC");
}

TEST_F(ServerTest, ServesRsaAndEcForOneName) {
  listener_.certificates = {certificate("rsa.pem", KeyKind::rsa, {"one.example"}),
                            certificate("ec.pem", KeyKind::ec, {"one.example"}),
                            certificate("two.pem", KeyKind::ec, {"two.example"})};
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string name : {"one.example", "", "unknown.example"}) {
      EXPECT_EQ(leaf(server, {.server_name = name, .version = version, .signature_algorithms = kRsa}),
                "one.example RSA");
      EXPECT_EQ(leaf(server, {.server_name = name, .version = version, .signature_algorithms = kEcdsa}),
                "one.example EC");
    }
  }
  // Only the pair's certificates are RSA.
  EXPECT_THAT(leaf(server, {.server_name = "two.example", .signature_algorithms = kRsa}),
              HasSubstr("handshake failure"));
}

TEST_F(ServerTest, AWildcardOfAnotherTypeJoinsTheExactName) {
  listener_.certificates = {certificate("rsa.pem", KeyKind::rsa, {"www.one.example"}),
                            certificate("ec.pem", KeyKind::ec, {"*.one.example"})};
  TestServer server(settings_);
  EXPECT_EQ(leaf(server, {.server_name = "www.one.example", .signature_algorithms = kEcdsa}),
            "*.one.example EC");
  EXPECT_EQ(leaf(server, {.server_name = "www.one.example", .signature_algorithms = kRsa}),
            "www.one.example RSA");
}

TEST_F(ServerTest, SendsTheChainWithoutTheRoot) {
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(client.certificates_sent(), 2U);
}

TEST_F(ServerTest, RefusesTls11) {
  TestServer server(settings_);
  EXPECT_THAT(leaf(server, {.version = TLS1_1_VERSION}), HasSubstr("alert protocol version"));
  EXPECT_TRUE(
      server.wait_for_metric(R"(keystay_tlsd_handshakes_total{listener="https",result="refused"})", 1));
}

TEST_F(ServerTest, WithoutHttp2NegotiatesHttp11AndNothingElse) {
  listener_.http2 = false;
  TestServer server(settings_);
  TlsClient both(server.port(), {.protocols = "\x02h2\x08http/1.1"});
  ASSERT_TRUE(both.handshake());
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(both.ssl(), &protocol, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(protocol), size), "http/1.1");
  EXPECT_THAT(leaf(server, {.protocols = "\x02h2"}), HasSubstr("alert no application protocol"));
}

TEST_F(ServerTest, RefusesRenegotiation) {
  TestServer server(settings_);
  TlsClient client(server.port(), {.version = TLS1_2_VERSION});
  ASSERT_TRUE(client.handshake());
  SSL_renegotiate(client.ssl());
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
}

TEST_F(ServerTest, ResumesWithoutASignatureUnderAnyName) {
  TestServer server(settings_);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient first(server.port(), {.server_name = "localhost", .version = version});
    ASSERT_TRUE(first.handshake());
    EXPECT_EQ(send_request(first, kGet).status, 200U);
    const SslSession session = first.session();
    TlsClient second(server.port(),
                     {.server_name = "localhost", .version = version, .session = session.get()});
    ASSERT_TRUE(second.handshake());
    EXPECT_TRUE(second.resumed());
  }
  EXPECT_TRUE(
      server.wait_for_metric(R"(keystay_tlsd_handshakes_total{listener="https",result="resumed"})", 2));
}

TEST_F(ServerTest, ATicketOfOneListenerOpensNoOther) {
  config::ListenerSettings other = listener_;
  other.name = "other";
  settings_.listeners.push_back(other);
  TestServer server(settings_);
  TlsClient first(server.port(0));
  ASSERT_TRUE(first.handshake());
  EXPECT_EQ(send_request(first, kGet).status, 200U);
  const SslSession session = first.session();
  TlsClient second(server.port(1), {.session = session.get()});
  ASSERT_TRUE(second.handshake()) << second.reason();
  EXPECT_FALSE(second.resumed());
}

TEST_F(ServerTest, TellsPlainHttpThatThePortSpeaksTls) {
  TestServer server(settings_);
  for (const std::string method : {"GET", "POST", "DELETE", "OPTIONS", "PATCH"}) {
    RawSocket client = RawSocket::connect(server.port());
    const HttpResponse response = send_request(client, method + " / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(response.status, 400U);
    EXPECT_THAT(response.body, HasSubstr("this port speaks TLS"));
    EXPECT_FALSE(response.keep_alive);
    EXPECT_EQ(client.read_some(), "");
  }
  EXPECT_TRUE(
      server.wait_for_metric(R"(keystay_tlsd_handshakes_total{listener="https",result="plain_http"})", 5));
  EXPECT_EQ(backend_.connections(), 0);
}

TEST_F(ServerTest, ListensOnSeveralAddresses) {
  listener_.bind = {{"127.0.0.1", 0}, {"127.0.0.1", 0}, {"::1", 0}};
  TestServer server(settings_);
  ASSERT_EQ(server.server().endpoints().size(), 3U);
  for (const std::size_t address : {0U, 1U}) {
    TlsClient client(server.port(address));
    EXPECT_TRUE(client.handshake());
  }
}

TEST_F(ServerTest, WillNotShareAPortWithAnotherServer) {
  TestServer server(settings_);
  listener_.bind = {{"127.0.0.1", server.port()}};
  try {
    TestServer second(settings_);
    FAIL() << "two servers on one port";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("127.0.0.1:" + std::to_string(server.port())),
                                    HasSubstr("another program listens there")));
  }
}

TEST_F(ServerTest, RefusesAnAddressThatIsNotOfThisMachine) {
  listener_.bind = {{"192.0.2.1", 0}};
  EXPECT_THROW(TestServer{settings_}, std::runtime_error);
}

TEST_F(ServerTest, LeavesClientsBeyondTheLimitInTheQueue) {
  listener_.max_connections = 2;
  TestServer server(settings_);
  TlsClient first(server.port());
  auto second = std::make_unique<TlsClient>(server.port());
  ASSERT_TRUE(first.handshake());
  ASSERT_TRUE(second->handshake());
  TlsClient third(server.port());
  auto handshake = std::async(std::launch::async, [&] { return third.handshake(); });
  EXPECT_EQ(send_request(first, kGet).status, 200U);
  EXPECT_EQ(server.metric(R"(keystay_tlsd_connections{listener="https"})"), 2);
  second.reset();
  EXPECT_TRUE(handshake.get()) << third.reason();
  EXPECT_EQ(send_request(third, kGet).status, 200U);
}

TEST_F(ServerTest, OutlivesALackOfDescriptors) {
  TestServer server(settings_);
  TlsClient established(server.port());
  ASSERT_TRUE(established.handshake());
  std::vector<RawSocket> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(RawSocket::connect(server.port()));
  ASSERT_TRUE(server.wait_for_metric(R"(keystay_tlsd_connections{listener="https"})", 21));

  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Descriptor probe(::dup(clients.back().descriptor()));
  rlimit tight = before;
  tight.rlim_cur =
      static_cast<rlim_t>(probe.get()) + 1;  // this one client, and no descriptor for the server's side
  {
    // The client's descriptor is there already; the server's is the one that is missing.
    Descriptor spare(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    RawSocket turned_away = RawSocket(std::move(spare));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(
        ::connect(turned_away.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(turned_away.read_some(), "");  // closed, not left waiting
  }
  EXPECT_GE(server.metric(R"(keystay_tlsd_accept_errors_total{listener="https"})"), 1);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(send_request(established, kGet).status, 200U);
  TlsClient later(server.port());
  EXPECT_TRUE(later.handshake()) << later.reason();
  EXPECT_EQ(send_request(later, kGet).status, 200U);
}

TEST_F(ServerTest, RefusesToStartWithACertificateThatCannotServe) {
  const auto identity = test_ca().issue(KeyKind::ec, LeafOptions::expired());
  listener_.certificates = {directory_.write("old.pem", identity.key_pem + identity.chain_pem).string()};
  EXPECT_THROW(TestServer{settings_}, tlsd::CryptoError);
}

}  // namespace
}  // namespace keystay::test
