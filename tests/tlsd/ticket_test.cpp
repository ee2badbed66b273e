// Session tickets of whole servers: keys that change, keys that several servers share, and sessions that stay
// with their name.
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

#include "tests/tlsd/log_capture.h"
#include "tests/tlsd/server_test.h"
#include "tlsd/tls/openssl_error.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using config::TicketSettings;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

class TicketTest : public ServerTest {
 protected:
  // A session with this server, with its tickets.
  static SslSession session_with(TestServer& server, int version, const std::string& name = "localhost") {
    TlsClient client(server.port(), {.server_name = name, .version = version});
    EXPECT_TRUE(client.handshake()) << client.reason();
    EXPECT_EQ(send_request(client, kGet).status, 200U);
    SslSession session = client.session();
    client.send_close_notify();  // without it libssl takes the session for a bad one
    return session;
  }
  static bool resumes(TestServer& server, const SslSession& session, const std::string& name = "localhost") {
    const int version = SSL_SESSION_get_protocol_version(session.get());
    TlsClient client(server.port(), {.server_name = name, .version = version, .session = session.get()});
    EXPECT_TRUE(client.handshake()) << client.reason();
    EXPECT_EQ(send_request(client, kGet).status, 200U);
    return client.resumed();
  }
  // The name of the key that has sealed the ticket.
  static std::string key_name(const SslSession& session) {
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
    return size < 16 ? std::string() : std::string(reinterpret_cast<const char*>(ticket), 16);
  }
  void tickets_from(TicketSettings::Source source, const std::string& name) {
    settings_.tickets.source = source;
    settings_.tickets.name = name;
    settings_.tickets.place = "keystay.toml:2: tlsd.tickets";
  }
  // Why the server does not start; empty if it does.
  std::string refusal() {
    try {
      const TestServer server(settings_);
    } catch (const tlsd::CryptoError& error) {
      return error.what();
    }
    return {};
  }
  std::string private_key(const std::string& file, const char* algorithm, const char* parameter) {
    const Openssl<EVP_PKEY> key(parameter != nullptr
                                    ? EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm, parameter)
                                    : EVP_PKEY_Q_keygen(nullptr, nullptr, algorithm));
    return directory_.write(file, private_key_pem(key.get())).string();
  }
  std::string ticket_file(const std::string& keys) {
    const std::string path = directory_.write("tickets.key", keys).string();
    std::filesystem::permissions(path,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return path;
  }
};

TEST_F(TicketTest, AKeyChangesAndTheOldOneOpens) {
  settings_.tickets.rotation = 1s;
  settings_.tickets.lifetime = 15s;
  const LogCapture log;
  TestServer server(settings_);
  const SslSession old = session_with(server, TLS1_2_VERSION);
  ASSERT_TRUE(log.wait_for("session tickets: "));
  for (int i = 0; i < 100 && key_name(session_with(server, TLS1_2_VERSION)) == key_name(old); ++i)
    std::this_thread::sleep_for(50ms);  // a period has no event
  EXPECT_NE(key_name(session_with(server, TLS1_2_VERSION)), key_name(old));
  EXPECT_TRUE(resumes(server, old));
  EXPECT_GE(server.metric("keystay_tlsd_ticket_key_changes_total{result=\"succeeded\"}"), 1);
  EXPECT_GE(server.metric("keystay_tlsd_ticket_keys"), 3);
}

TEST_F(TicketTest, ThereAreNoneWhereTheyAreOff) {
  settings_.tickets.source = TicketSettings::Source::off;
  TestServer server(settings_);
  for (const int version : kVersions) EXPECT_EQ(key_name(session_with(server, version)), "");
  EXPECT_EQ(server.metric("keystay_tlsd_ticket_keys"), 0);
}

TEST_F(TicketTest, ASessionIsResumedUnderItsNameOnly) {
  listener_.certificates = {certificate("two.pem", KeyKind::ec, {"two.example", "*.wild.example"}),
                            certificate("localhost.pem", KeyKind::ec, {"localhost", "other.example"})};
  TestServer server(settings_);
  for (const int version : kVersions) {
    const SslSession session = session_with(server, version);
    EXPECT_FALSE(resumes(server, session, "two.example"));
    EXPECT_FALSE(resumes(server, session, "other.example"));
    EXPECT_FALSE(resumes(server, session, "unknown.example"));
    EXPECT_FALSE(resumes(server, session, ""));
    EXPECT_TRUE(resumes(server, session, "LOCALHOST"));
  }
}

TEST_F(TicketTest, OneServerResumesTheSessionsOfAnotherWithTheSameAlias) {
  for (const auto& [algorithm, parameter] :
       {std::pair("EC", "P-256"), std::pair("EC", "P-384"), std::pair("EC", "P-521"),
        std::pair<const char*, const char*>("X25519", nullptr)}) {
    tickets_from(TicketSettings::Source::alias, private_key("tickets.pem", algorithm, parameter));
    TestServer first(settings_);
    TestServer second(settings_);
    tickets_from(TicketSettings::Source::alias, private_key("others.pem", algorithm, parameter));
    TestServer third(settings_);
    for (const int version : kVersions) {
      const SslSession session = session_with(first, version);
      EXPECT_TRUE(resumes(second, session)) << algorithm;
      EXPECT_FALSE(resumes(third, session)) << algorithm;
    }
  }
}

TEST_F(TicketTest, AKeyThatCannotAgreeIsRefused) {
  tickets_from(TicketSettings::Source::alias,
               directory_.write("rsa.pem", private_key_pem(generate_key(KeyKind::rsa).get())).string());
  EXPECT_THAT(refusal(), AllOf(HasSubstr("keystay.toml:2: tlsd.tickets: "), HasSubstr("rsa.pem"),
                               HasSubstr("tickets need a key that agrees by ECDH")));
  tickets_from(TicketSettings::Source::alias, "/no/such.pem");
  EXPECT_THAT(refusal(), HasSubstr("key \"/no/such.pem\": cannot read the file"));
}

TEST_F(TicketTest, AServerThatMayStartDegradedHasTicketsLater) {
  const std::string file = (directory_.path() / "later.pem").string();
  tickets_from(TicketSettings::Source::alias, file);
  settings_.start = config::Start::degraded;
  settings_.tickets.rotation = 4s;  // a look each second
  settings_.tickets.lifetime = 4s;
  const LogCapture log;
  TestServer server(settings_);
  EXPECT_EQ(log.count("started without tickets"), 1) << log.text();
  for (const int version : kVersions) EXPECT_EQ(key_name(session_with(server, version)), "");
  ASSERT_TRUE(log.wait_for("session tickets: a key is missing, it is tried again")) << log.text();
  static_cast<void>(private_key("later.pem", "EC", "P-256"));
  ASSERT_TRUE(log.wait_for("made for the time to come"));
  EXPECT_TRUE(resumes(server, session_with(server, TLS1_3_VERSION)));
  EXPECT_GE(server.metric("keystay_tlsd_ticket_key_changes_total{result=\"failed\"}"), 1);
}

TEST_F(TicketTest, ServersShareAFileOfWhichTheFirstKeySealsAndAllOpen) {
  const std::string one(80, '\x01');
  const std::string two = std::string(16, '\x02') + std::string(64, '\x12');
  tickets_from(TicketSettings::Source::file, ticket_file(one));
  std::mutex mutex;
  config::TlsdSettings next = settings_;
  TestServer first(settings_, [&] {
    const std::scoped_lock lock(mutex);
    return next;
  });
  TestServer second(settings_);
  const SslSession session = session_with(first, TLS1_3_VERSION);
  EXPECT_EQ(key_name(session), one.substr(0, 16));
  EXPECT_TRUE(resumes(second, session));
  static_cast<void>(ticket_file(two + one));
  first.server().reload();
  ASSERT_TRUE(first.wait_for_metric("keystay_tlsd_reloads_total{result=\"succeeded\"}", 1));
  EXPECT_TRUE(resumes(first, session));
  EXPECT_EQ(key_name(session_with(first, TLS1_3_VERSION)), two.substr(0, 16));
  EXPECT_FALSE(resumes(second, session_with(first, TLS1_3_VERSION))) << "it has not read the new key";
  static_cast<void>(ticket_file(two));
  first.server().reload();
  ASSERT_TRUE(first.wait_for_metric("keystay_tlsd_reloads_total{result=\"succeeded\"}", 2));
  EXPECT_FALSE(resumes(first, session)) << "the key is gone";
  static_cast<void>(ticket_file("too short"));
  first.server().reload();
  ASSERT_TRUE(first.wait_for_metric("keystay_tlsd_reloads_total{result=\"failed\"}", 1));
  EXPECT_TRUE(resumes(first, session_with(first, TLS1_3_VERSION)));
}

TEST_F(TicketTest, AFileThatIsNoneIsRefused) {
  for (const std::string& keys :
       {std::string(), std::string(79, 'x'), std::string(81, 'x'), std::string(65 * 80, 'x')}) {
    tickets_from(TicketSettings::Source::file, ticket_file(keys));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("keystay.toml:2: tlsd.tickets: "), HasSubstr("openssl rand 80")));
  }
  const std::string file = ticket_file(std::string(80, 'x'));
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  EXPECT_THAT(refusal(), HasSubstr("everybody may read"));
  std::filesystem::remove(file);
  EXPECT_THAT(refusal(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace keystay::test
