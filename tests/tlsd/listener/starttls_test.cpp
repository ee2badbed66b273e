// Listeners whose clients ask for TLS in clear: nothing that came before TLS gets to the server behind.
#include "tests/tlsd/tcp_test.h"

namespace keystay::test {
namespace {

using namespace std::chrono_literals;
using config::StartTls;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kSslRequest("\0\0\0\x08\x04\xd2\x16\x2f", 8);
const std::string kCancelRequest("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2", 16);

class StartTlsTest : public TcpTest {
 protected:
  void serve_as(StartTls protocol, TestBackend::Handler handler) {
    listener_.starttls = protocol;
    serve(std::move(handler));
  }
  // A client that asked for TLS, and got this answer to it.
  void ask(TlsClient& client, std::string_view request, std::string_view end_of_answer) {
    client.socket().write(request);
    EXPECT_THAT(read_until(client.socket(), end_of_answer), EndsWith(std::string(end_of_answer)));
  }
  [[nodiscard]] double handshakes(const std::string& result) const {
    return server_->metric("keystay_tlsd_handshakes_total{listener=\"https\",result=\"" + result + "\"}");
  }
};

// Greets, and sends back what it gets.
TestBackend::Handler greets_with(std::string greeting) {
  return [greeting = std::move(greeting)](RawSocket& client) {
    client.write(greeting);
    echo(client);
  };
}

TEST_F(StartTlsTest, OfSmtpLeavesOutTheGreetingOfTheServer) {
  serve_as(StartTls::smtp, greets_with("220-backend\r\n220 ready\r\n"));
  TlsClient client(server_->port());
  EXPECT_THAT(read_until(client.socket(), "\r\n"), StartsWith("220 "));
  ask(client, "EHLO a\r\n", "250 ENHANCEDSTATUSCODES\r\n");
  ask(client, "STARTTLS\r\n", "220 2.0.0 Ready to start TLS\r\n");
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("EHLO b\r\n");
  EXPECT_EQ(client.read_some(), "EHLO b\r\n");
  client.send_close_notify();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_TRUE(ended_by("complete"));
}

TEST_F(StartTlsTest, PassesOnNothingThatCameInClear) {
  serve_as(StartTls::imap, greets_with("* OK ready\r\n"));
  TlsClient client(server_->port());
  ask(client, "", "] ready\r\n");
  ask(client, "a LOGIN alice secret\r\n", "a NO [PRIVACYREQUIRED] only after STARTTLS\r\n");
  ask(client, "b STARTTLS\r\n", "b OK begin TLS negotiation now\r\n");
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("c NOOP\r\n");
  EXPECT_EQ(client.read_some(), "c NOOP\r\n");
}

// CVE-2011-0411, CVE-2021-23214: what a third party puts behind the client's request.
TEST_F(StartTlsTest, EndsWithBytesInClearBehindTheRequest) {
  serve_as(StartTls::smtp, greets_with("220 ready\r\n"));
  RawSocket mail = RawSocket::connect(server_->port());
  mail.write("STARTTLS\r\nRSET\r\nMAIL FROM:<evil@example>\r\n");
  EXPECT_THAT(read_to_end(mail), testing::Not(HasSubstr("220 2.0.0")));
  EXPECT_TRUE(log_.wait_for("refused: bytes in clear behind the request for TLS")) << log_.text();
  EXPECT_EQ(handshakes("starttls"), 1);
  EXPECT_EQ(backend_->connections(), 0);

  serve_as(StartTls::postgresql, echo);
  RawSocket database = RawSocket::connect(server_->port());
  database.write(kSslRequest + "Q");
  EXPECT_EQ(read_to_end(database), "");
  EXPECT_EQ(handshakes("starttls"), 1);
  EXPECT_EQ(backend_->connections(), 0);
}

TEST_F(StartTlsTest, OfPostgresqlAnswersOneByteAndTakesDirectTlsToo) {
  serve_as(StartTls::postgresql, echo);
  TlsClient asking(server_->port());
  asking.socket().write(std::string("\0\0\0\x08\x04\xd2\x16\x30", 8));  // GSSENCRequest
  EXPECT_EQ(asking.socket().read_some(), "N");
  asking.socket().write(kSslRequest);
  EXPECT_EQ(asking.socket().read_some(), "S");
  ASSERT_TRUE(asking.handshake()) << asking.reason();
  asking.write("startup");
  EXPECT_EQ(asking.read_some(), "startup");

  TlsClient direct(server_->port());
  ASSERT_TRUE(direct.handshake()) << direct.reason();
  direct.write("startup");
  EXPECT_EQ(direct.read_some(), "startup");
}

TEST_F(StartTlsTest, OfPostgresqlPassesOnACancelRequestAndRefusesAStartInClear) {
  std::promise<std::string> seen;
  serve_as(StartTls::postgresql, [&seen](RawSocket& client) {
    std::string request = client.read_some();
    client.close();
    seen.set_value(std::move(request));
  });
  RawSocket cancel = RawSocket::connect(server_->port());
  cancel.write(kCancelRequest);
  EXPECT_EQ(read_to_end(cancel), "");
  EXPECT_EQ(seen.get_future().get(), kCancelRequest);

  RawSocket start = RawSocket::connect(server_->port());
  start.write(std::string("\0\0\0\x20\0\3\0\0user\0alice\0database\0\0\0", 32));
  EXPECT_THAT(read_to_end(start), HasSubstr("only connections by TLS are served here (sslmode=require)"));
  EXPECT_TRUE(log_.wait_for("refused: the client did not ask for TLS")) << log_.text();
  EXPECT_EQ(backend_->connections(), 1);
}

TEST_F(StartTlsTest, PassesOnTheRefusalOfAServer) {
  serve_as(StartTls::smtp, [](RawSocket& client) { client.write("421 later\r\n"); });
  TlsClient client(server_->port());
  ask(client, "", "ESMTP\r\n");
  ask(client, "STARTTLS\r\n", "220 2.0.0 Ready to start TLS\r\n");
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_EQ(client.read_some(), "421 later\r\n");
}

struct BadGreeting {
  const char* name;
  TestBackend::Handler handler;
  const char* fault;
  const char* reason;
};
class ServerWithoutGreeting : public StartTlsTest, public testing::WithParamInterface<BadGreeting> {};

TEST_P(ServerWithoutGreeting, IsALineAndAMetric) {
  app_.connect_timeout = 500ms;
  serve_as(StartTls::imap, GetParam().handler);
  TlsClient client(server_->port());
  ask(client, "", "] ready\r\n");
  ask(client, "b STARTTLS\r\n", "now\r\n");
  ASSERT_TRUE(client.handshake()) << client.reason();
  EXPECT_EQ(client.read_some(), "");
  EXPECT_FALSE(client.ended_in_order());
  EXPECT_TRUE(log_.wait_for(GetParam().reason)) << log_.text();
  EXPECT_EQ(faults(GetParam().fault), 1);
  EXPECT_TRUE(ended_by("backend"));
  EXPECT_TRUE(nothing_left());
}

const BadGreeting kBadGreetings[] = {
    {"logged_in_already", greets_with("* PREAUTH welcome\r\n"), "bad_response", "it sent something else"},
    {"of_another_protocol", greets_with("220 ready\r\n"), "bad_response", "it sent something else"},
    {"endless", greets_with(std::string(20000, '*')), "bad_response", "it sent something else"},
    {"silent", [](RawSocket& client) { read_to_end(client); }, "timed_out",
     "none came within connect-timeout"},
    {"gone", [](RawSocket& client) { client.write("* OK"); }, "closed", "End of file"},
};
INSTANTIATE_TEST_SUITE_P(Servers, ServerWithoutGreeting, testing::ValuesIn(kBadGreetings),
                         [](const auto& test) { return std::string(test.param.name); });

struct BadClient {
  const char* name;
  StartTls protocol;
  std::string bytes;
  const char* line;
};
class ClientWithoutTls : public StartTlsTest, public testing::WithParamInterface<BadClient> {};

TEST_P(ClientWithoutTls, IsALineAndNothingElse) {
  listener_.handshake_timeout = 1s;
  serve_as(GetParam().protocol, echo);
  RawSocket client = RawSocket::connect(server_->port());
  client.write(GetParam().bytes);
  static_cast<void>(read_to_end(client));
  EXPECT_TRUE(log_.wait_for(GetParam().line)) << log_.text();
  EXPECT_TRUE(nothing_left());
  EXPECT_EQ(backend_->connections(), 0);
}

std::string repeated(int times, const std::string& text) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

const BadClient kBadClients[] = {
    {"silent", StartTls::smtp, "", "TLS handshake timed out: the client did not ask for TLS"},
    {"slow", StartTls::postgresql, std::string("\0\0\0", 3),
     "TLS handshake timed out: the client did not ask"},
    {"talkative", StartTls::smtp, repeated(100, "NOOP\r\n"), "refused: too many commands in clear"},
    {"of_one_long_line", StartTls::imap, std::string(5000, 'x'),
     "refused: a message in clear that is too long"},
    {"clear_behind_starttls", StartTls::pop3, "STLS\r\nUSER alice\r\n",
     "bytes in clear behind the request for TLS"},
    {"http", StartTls::postgresql, "GET / HTTP/1.1\r\n\r\n", "refused: the client did not ask for TLS"},
    {"bind_in_clear", StartTls::ldap, std::string("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0", 14),
     "refused: the client did not ask for TLS"},
    {"large_ldap", StartTls::ldap, std::string("\x30\x82\x40\0", 4) + std::string(2000, 'x'),
     "refused: a message in clear that is too long"},
};
INSTANTIATE_TEST_SUITE_P(Clients, ClientWithoutTls, testing::ValuesIn(kBadClients),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(StartTlsTest, OfLdapBeginsWithAnExtendedOperation) {
  serve_as(StartTls::ldap, echo);
  TlsClient client(server_->port());
  client.socket().write(std::string("\x30\x1d\x02\x01\x07\x77\x18\x80\x16") + "1.3.6.1.4.1.1466.20037");
  EXPECT_THAT(client.socket().read_some(), EndsWith("1.3.6.1.4.1.1466.20037"));
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("x");
  EXPECT_EQ(client.read_some(), "x");
}

TEST_F(StartTlsTest, ComesBehindTheHeaderOfAProxy) {
  listener_.accept_proxy.networks = {*config::AddressRange::parse("127.0.0.1")};
  listener_.allow = {*config::AddressRange::parse("192.0.2.1")};
  serve_as(StartTls::postgresql, echo);
  TlsClient client(server_->port());
  ask(client, "PROXY TCP4 192.0.2.1 198.51.100.1 1 5432\r\n" + kSslRequest, "S");
  ASSERT_TRUE(client.handshake()) << client.reason();
  client.write("x");
  EXPECT_EQ(client.read_some(), "x");
}

}  // namespace
}  // namespace keystay::test
