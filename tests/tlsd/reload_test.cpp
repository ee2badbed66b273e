// A new configuration for a server that runs: what changes, what stays, and what a bad one leaves as it was.
#include <mutex>
#include <stdexcept>
#include <string>

#include "tests/tlsd/server_test.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace keystay::test
