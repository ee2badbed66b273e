// TLS to servers behind: another keystay-tlsd is the server.
#include <future>
#include <thread>

#include <fmt/format.h>

#include "tests/tlsd/http_test.h"
#include "tests/tlsd/log_capture.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPost[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";

class BackendTlsTest : public HttpTest {
 protected:
  BackendTlsTest() {
    settings_.threads = 1;  // each thread has its own sessions to resume
    app_.tls = config::BackendTls{authorities(test_ca()), "localhost", {}, {}};
  }
  // Before log_ goes: no thread may write to it then.
  void TearDown() override {
    server_.reset();
    behind_.reset();
  }

  void start() {
    behind_ = std::make_unique<TestServer>(behind_settings_);
    app_.servers = {{"127.0.0.1", behind_->port()}};
    server_ = std::make_unique<TestServer>(settings_);
  }
  [[nodiscard]] std::string authorities(const TestCa& ca) const {
    return directory_.write("backend-ca.pem", ca.root_pem()).string();
  }
  [[nodiscard]] double handshakes(const std::string& result) const {
    return behind_->metric("keystay_tlsd_handshakes_total{listener=\"https\",result=\"" + result + "\"}");
  }
  void expect_502(const std::string& reason) {
    EXPECT_EQ(answer(kGet).status, 502U);
    EXPECT_TRUE(
        log_.wait_for("answered with 502: backend app, 127.0.0.1:" + std::to_string(behind_->port())));
    EXPECT_TRUE(log_.wait_for(reason)) << log_.text();
    EXPECT_EQ(plain_.connections(), 0);
  }
  [[nodiscard]] SoftwareIdentity client_identity() const {
    LeafOptions options;
    options.usage = "clientAuth";
    return test_ca().issue(KeyKind::ec, options);
  }

  LogCapture log_;
  TemporaryDirectory behind_directory_;
  TestBackend plain_{TestBackend::hello(std::string(1'000'000, 'x'))};
  config::TlsdSettings behind_settings_ = simple_settings(behind_directory_, plain_.port());
  config::ListenerSettings& behind_listener_ = behind_settings_.listeners.front();
  std::unique_ptr<TestServer> behind_;
};

TEST_F(BackendTlsTest, CarriesRequestsAndKeepsConnectionsOpen) {
  start();
  TlsClient client = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(send_request(client, kGet).body.size(), 1'000'000U);
  EXPECT_EQ(handshakes("full"), 1);
  EXPECT_EQ(handshakes("resumed"), 0);
}

TEST_F(BackendTlsTest, ResumesSessionsOnOtherConnections) {
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer(kPost).status, 200U);
  EXPECT_EQ(handshakes("full"), 1);
  EXPECT_EQ(handshakes("resumed"), 2);
}

TEST_F(BackendTlsTest, RefusesACertificateWithAnotherName) {
  app_.tls->name = "other.example";
  start();
  expect_502("TLS: its certificate \"/CN=localhost\" is not accepted: hostname mismatch");
}

TEST_F(BackendTlsTest, RefusesACertificateOfAnotherAuthority) {
  const TestCa other;
  app_.tls->ca = authorities(other);
  start();
  expect_502("is not accepted: unable to get");
}

TEST_F(BackendTlsTest, TakesTheAddressOfTheServerForItsName) {
  app_.tls->name.clear();
  start();
  EXPECT_EQ(answer(kGet).status, 200U);
}

TEST_F(BackendTlsTest, ShowsACertificate) {
  const std::string ca = behind_directory_.write("clients.pem", test_ca().root_pem()).string();
  behind_listener_.clients = config::ClientCertificates{ca, {}};
  const SoftwareIdentity identity = client_identity();
  app_.tls->certificate = directory_.write("client.pem", identity.key_pem + identity.chain_pem).string();
  start();
  EXPECT_EQ(answer(kGet).status, 200U);
}

TEST_F(BackendTlsTest, ShowsACertificateWhoseKeyIsInAFileOfItsOwn) {
  const std::string ca = behind_directory_.write("clients.pem", test_ca().root_pem()).string();
  behind_listener_.clients = config::ClientCertificates{ca, {}};
  const SoftwareIdentity identity = client_identity();
  app_.tls->certificate = directory_.write("client.pem", identity.chain_pem).string();
  app_.tls->key = directory_.write("client.key", identity.key_pem).string();
  start();
  EXPECT_EQ(answer(kGet).status, 200U);
}

TEST_F(BackendTlsTest, SaysThatTheServerWantsACertificate) {
  const std::string ca = behind_directory_.write("clients.pem", test_ca().root_pem()).string();
  behind_listener_.clients = config::ClientCertificates{ca, {}};
  start();
  expect_502("certificate required");
}

TEST_F(BackendTlsTest, SendsTheNameAndPassesBytesOfModeTcp) {
  const TestBackend named([](RawSocket& peer) {
    for (std::string data = peer.read_some(); !data.empty(); data = peer.read_some()) peer.write(data);
  });
  behind_settings_.backends["named"].servers = {{"127.0.0.1", named.port()}};
  behind_listener_.mode = config::ListenerMode::tcp;
  behind_listener_.routes = {{"localhost", "", "named"}};
  listener_.mode = config::ListenerMode::tcp;
  start();
  TlsClient client = connect();
  client.write("to and fro");
  EXPECT_EQ(client.read_some(), "to and fro");
  client.send_close_notify();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(client.ended_in_order());
  for (TestServer* server : {server_.get(), behind_.get()})
    EXPECT_TRUE(server->wait_for_metric(R"(keystay_tlsd_relays_total{end="complete",listener="https"})", 1));
}

TEST_F(BackendTlsTest, APlainServerIsNamed) {
  const TestBackend plain([](RawSocket& peer) { peer.write("220 mail.example ESMTP\r\n"); });
  app_.servers = {{"127.0.0.1", plain.port()}};
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_EQ(answer(kGet).status, 502U);
  EXPECT_TRUE(log_.wait_for("the TLS handshake failed: ")) << log_.text();
}

TEST_F(BackendTlsTest, TheHeaderOfTheProxyProtocolGoesInFront) {
  std::promise<std::string> promised;
  const TestBackend plain([&](RawSocket& peer) {
    std::string first;
    while (first.size() < 200) {
      const std::string more = peer.read_some();
      if (more.empty()) break;
      first += more;
    }
    promised.set_value(first);
  });
  listener_.mode = config::ListenerMode::tcp;
  app_.send_proxy = config::SendProxy::v2;
  app_.servers = {{"127.0.0.1", plain.port()}};
  server_ = std::make_unique<TestServer>(settings_);
  const TlsClient client = connect();
  const std::string first = promised.get_future().get();
  ASSERT_THAT(first, StartsWith("\r\n\r\n"));
  const std::size_t size =
      16 + static_cast<unsigned char>(first.at(14)) * 256U + static_cast<unsigned char>(first.at(15));
  EXPECT_EQ(first.at(size), '\x16') << "a record of a handshake follows the header";
}

TEST_F(BackendTlsTest, HealthIsCheckedThroughIt) {
  app_.health_check = config::HealthCheck{"/", 20ms, 20s, 1, 1};
  start();
  const std::string up = fmt::format(
      "keystay_tlsd_backend_server_up{{backend=\"app\",server=\"127.0.0.1:{}\"}}", behind_->port());
  while (plain_.connections() == 0) std::this_thread::sleep_for(2ms);
  EXPECT_TRUE(server_->wait_for_metric(up, 1));
  server_.reset();
  app_.tls->name = "other.example";
  server_ = std::make_unique<TestServer>(settings_);
  EXPECT_TRUE(server_->wait_for_metric(up, 0));
  EXPECT_TRUE(log_.wait_for("is out of service, its health check failed: TLS: its certificate"));
  EXPECT_EQ(answer(kGet).status, 503U);
}

TEST_F(BackendTlsTest, AReloadReadsItsFilesAgain) {
  const TestCa other;
  const std::string ca = app_.tls->ca;
  start();
  server_ = std::make_unique<TestServer>(settings_, [settings = settings_] { return settings; });
  EXPECT_EQ(answer(kGet).status, 200U);
  static_cast<void>(authorities(other));
  server_->server().reload();
  ASSERT_TRUE(server_->wait_for_metric(R"(keystay_tlsd_reloads_total{result="succeeded"})", 1));
  EXPECT_EQ(answer(kGet).status, 502U);
}

TEST_F(BackendTlsTest, AFileThatIsMissingRefusesTheStart) {
  app_.tls->ca = "/nonexistent/ca.pem";
  try {
    start();
    ADD_FAILURE() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(),
                StartsWith("backend app: tls.ca: cannot read /nonexistent/ca.pem: No such file"));
  }
}

}  // namespace
}  // namespace keystay::test
