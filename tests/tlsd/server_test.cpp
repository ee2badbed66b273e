// TLS as clients of a whole server see it: names, key types, versions, tickets, ports, limits.
#include "tlsd/server.h"

#include <future>
#include <mutex>
#include <string>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tests/support/process.h"
#include "tests/tlsd/http_response.h"
#include "tests/tlsd/test_backend.h"
#include "tests/tlsd/test_server.h"
#include "tests/tlsd/tls_client.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kRsa[] = "RSA-PSS+SHA256";
constexpr char kEcdsa[] = "ECDSA+SHA256";
constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class ServerTest : public testing::Test {
 protected:
  std::string certificate(const std::string& file, KeyKind kind, std::vector<std::string> names) {
    return write_certificate(directory_, file, kind, std::move(names));
  }

  // The leaf that a client gets; the reason if the handshake fails.
  static std::string leaf(TestServer& server, const TlsClientOptions& options) {
    TlsClient client(server.port(), options);
    return client.handshake() ? client.leaf() : client.reason();
  }

  TemporaryDirectory directory_;
  TestBackend backend_{TestBackend::hello()};
  config::TlsdSettings settings_ = simple_settings(directory_, backend_.port());
  config::ListenerSettings& listener_ = settings_.listeners.front();
};

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

TEST_F(ServerTest, NegotiatesHttp11AndNothingElse) {
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

class ReloadTest : public ServerTest {
 protected:
  // What the configuration file would say at the next reload.
  config::TlsdSettings next_ = settings_;
  std::string broken_;
  std::mutex mutex_;  // what the server's thread has read is the test's again after reload()
  tlsd::Server::ReadSettings read_ = [this] {
    const std::scoped_lock lock(mutex_);
    if (!broken_.empty()) throw std::runtime_error(broken_);
    return next_;
  };

  bool reload(TestServer& server, const std::string& result) {
    const std::string metric = "keystay_tlsd_reloads_total{result=\"" + result + "\"}";
    const double before = server.metric(metric);
    server.server().reload();
    const bool done = server.wait_for_metric(metric, before + 1);
    const std::scoped_lock lock(mutex_);
    return done;
  }
};

TEST_F(ReloadTest, ServesTheNewCertificateAndKeepsOldConnections) {
  TestServer server(settings_, read_);
  TlsClient old(server.port());
  ASSERT_TRUE(old.handshake());
  next_.listeners.front().certificates = {certificate("new.pem", KeyKind::ec, {"new.example"})};
  ASSERT_TRUE(reload(server, "succeeded"));
  EXPECT_EQ(leaf(server, {}), "new.example EC");
  EXPECT_EQ(send_request(old, kGet).status, 200U);
}

TEST_F(ReloadTest, TicketsOutliveIt) {
  TestServer server(settings_, read_);
  TlsClient first(server.port());
  ASSERT_TRUE(first.handshake());
  EXPECT_EQ(send_request(first, kGet).status, 200U);
  const SslSession session = first.session();
  ASSERT_TRUE(reload(server, "succeeded"));
  TlsClient second(server.port(), {.session = session.get()});
  ASSERT_TRUE(second.handshake());
  EXPECT_TRUE(second.resumed());
}

TEST_F(ReloadTest, TheMetricOfACertificateGoesWithIt) {
  const auto series = [](const std::string& name) {
    return "keystay_tlsd_certificate_expiry_timestamp_seconds{certificate=\"" + name + "\"}";
  };
  const std::string kept = certificate("kept.pem", KeyKind::ec, {"kept.example"});
  const std::string removed = listener_.certificates.front();
  listener_.certificates = {removed, kept};
  TestServer server(settings_, read_);
  ASSERT_GT(server.metric(series(removed)), 0);
  const std::string added = certificate("added.pem", KeyKind::ec, {"added.example"});
  next_.listeners.front().certificates = {kept, added};
  ASSERT_TRUE(reload(server, "succeeded"));
  EXPECT_TRUE(server.wait_for_metric(series(removed), -1));
  EXPECT_GT(server.metric(series(kept)), 0);
  EXPECT_GT(server.metric(series(added)), 0);
  next_.listeners.front().certificates = {"/no/such.pem"};
  ASSERT_TRUE(reload(server, "failed"));
  EXPECT_GT(server.metric(series(kept)), 0);
}

TEST_F(ReloadTest, ChangesNothingIfACertificateIsBad) {
  TestServer server(settings_, read_);
  next_.listeners.front().certificates = {certificate("new.pem", KeyKind::ec, {"new.example"}),
                                          "/no/such.pem"};
  ASSERT_TRUE(reload(server, "failed"));
  EXPECT_EQ(leaf(server, {}), "localhost EC");
}

TEST_F(ReloadTest, ChangesNothingIfTheConfigurationIsBroken) {
  TestServer server(settings_, read_);
  broken_ = "keystay.toml:3: expected a value";
  ASSERT_TRUE(reload(server, "failed"));
  broken_.clear();
  next_.listeners.front().bind = {{"127.0.0.1", 1}};  // needs a restart
  ASSERT_TRUE(reload(server, "failed"));
  EXPECT_EQ(leaf(server, {}), "localhost EC");
}

TEST_F(ReloadTest, UsesTheNewBackend) {
  const TestBackend other(TestBackend::hello("other"));
  TestServer server(settings_, read_);
  next_.backends["app"].servers = {{"127.0.0.1", other.port()}};
  ASSERT_TRUE(reload(server, "succeeded"));
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).body, "other");
}

TEST_F(ReloadTest, TheSeriesOfAServerGoWithIt) {
  const auto series = [](std::uint16_t port) {
    return R"(keystay_tlsd_backend_server_up{backend="app",server="127.0.0.1:)" + std::to_string(port) +
           "\"}";
  };
  const TestBackend other(TestBackend::hello("other"));
  TestServer server(settings_, read_);
  EXPECT_EQ(server.metric(series(backend_.port())), 1);
  next_.backends["app"].servers = {{"127.0.0.1", other.port()}};
  ASSERT_TRUE(reload(server, "succeeded"));
  EXPECT_TRUE(server.wait_for_metric(series(backend_.port()), -1));
  EXPECT_EQ(server.metric(series(other.port())), 1);
}

class AdminTest : public ServerTest {
 protected:
  static HttpResponse get(TestServer& server, const std::string& target, const std::string& method = "GET") {
    RawSocket client = RawSocket::connect(server.admin_port());
    return send_request(client, method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
};

TEST_F(AdminTest, IsHealthyWhereNoKeyLivesOnAToken) {
  TestServer server(settings_);
  EXPECT_EQ(get(server, "/health").status, 204U);
}

TEST_F(AdminTest, ShowsMetricsInThePrometheusFormat) {
  TestServer server(settings_);
  TlsClient client(server.port());
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  const HttpResponse response = get(server, "/metrics");
  EXPECT_EQ(response.status, 200U);
  EXPECT_THAT(response.field("Content-Type"), HasSubstr("version=0.0.4"));
  for (const std::string line :
       {"# TYPE keystay_tlsd_handshakes_total counter",
        R"(keystay_tlsd_handshakes_total{listener="https",result="full"} 1)",
        "keystay_tlsd_handshakes_paused 0", R"(keystay_tlsd_connections{listener="https"} 1)",
        R"(keystay_tlsd_requests_total{listener="https",status="2xx"} 1)",
        R"(keystay_tlsd_sign_wait_seconds_bucket{le="0.0001"} 0)",
        R"(keystay_tlsd_sign_wait_seconds_bucket{le="3.2768"} 0)",
        "keystay_tlsd_certificate_expiry_timestamp_seconds{"}) {
    EXPECT_THAT(response.body, HasSubstr(line));
  }
}

TEST_F(AdminTest, CountsEachListenerOnItsOwn) {
  settings_.listeners.push_back(listener_);
  settings_.listeners.back().name = "second";
  TestServer server(settings_);
  TlsClient client(server.port(1));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(send_request(client, kGet).status, 200U);
  for (const auto& [listener, count] : {std::pair("https", 0), std::pair("second", 1)}) {
    const std::string labels = "{listener=\"" + std::string(listener) + "\"";
    EXPECT_EQ(server.metric("keystay_tlsd_connections" + labels + "}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_requests_total" + labels + ",status=\"2xx\"}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_handshakes_total" + labels + ",result=\"full\"}"), count);
    EXPECT_EQ(server.metric("keystay_tlsd_accept_errors_total" + labels + "}"), 0);
  }
}

TEST_F(AdminTest, KnowsNothingElse) {
  TestServer server(settings_);
  EXPECT_EQ(get(server, "/").status, 404U);
  EXPECT_EQ(get(server, "/health", "POST").status, 405U);
}

TEST_F(AdminTest, KeepsItsConnections) {
  TestServer server(settings_);
  RawSocket client = RawSocket::connect(server.admin_port());
  std::string rest;
  for (int i = 0; i < 3; ++i) {
    client.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(read_response(client, rest).status, 204U);
  }
}

}  // namespace
}  // namespace keystay::test
