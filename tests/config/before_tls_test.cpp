// The keys of a listener about what happens before TLS: redirect, accept-proxy, starttls, limits per address,
// sockets.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/config/configuration.h"
#include "native/config/error.h"

namespace keystay::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kBackend[] = "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n";
constexpr char kTls[] = "certificates = [\"x\"]\nbackend = \"app\"\n";

// A file with one listener, whose keys these are.
std::string file_of(const std::string& keys) {
  return std::string(kBackend) + "[[tlsd.listener]]\nname = \"a\"\n" + keys;
}

ListenerSettings listener_of(const std::string& keys) {
  return parse_configuration(file_of(keys), "keystay.toml").tlsd.listeners.at(0);
}

TEST(ListenerBeforeTls, MayRedirect) {
  const auto plain = listener_of("bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\n");
  ASSERT_TRUE(plain.redirect);
  EXPECT_EQ(plain.redirect->port, 443);
  EXPECT_EQ(plain.backend, "");
  const auto other = listener_of(
      "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\nredirect-port = 8443\nacme-backend = \"app\"\n");
  EXPECT_EQ(other.redirect->port, 8443);
  EXPECT_EQ(other.backend, "app");
}

TEST(ListenerBeforeTls, KnowsItsProxies) {
  const auto listener = listener_of(
      std::string("bind = [\"unix:/run/a.sock\"]\naccept-proxy = [\"10.0.0.0/8\", \"unix\"]\n") + kTls);
  EXPECT_THAT(listener.accept_proxy.networks, ElementsAre(*AddressRange::parse("10.0.0.0/8")));
  EXPECT_TRUE(listener.accept_proxy.sockets);
  EXPECT_THAT(listener.sockets, ElementsAre("/run/a.sock"));
  EXPECT_TRUE(listener.bind.empty());
}

TEST(ListenerBeforeTls, HasLimitsPerAddress) {
  const auto listener = listener_of(
      std::string("bind = [\"0.0.0.0:1\"]\nmax-connections-per-address = 20\n"
                  "handshakes-per-second-per-address = 5\ndeny = [\"192.0.2.7\", \"2001:db8::/32\"]\n") +
      kTls);
  EXPECT_EQ(listener.max_connections_per_address, 20U);
  EXPECT_EQ(listener.handshakes_per_second_per_address, 5U);
  EXPECT_THAT(listener.deny,
              ElementsAre(*AddressRange::parse("192.0.2.7"), *AddressRange::parse("2001:db8::/32")));
}

TEST(ListenerBeforeTls, KnowsTheProtocolsOfStarttls) {
  const auto protocol = [](const std::string& name) {
    return listener_of("bind = [\"0.0.0.0:1\"]\nmode = \"tcp\"\nstarttls = \"" + name + "\"\n" + kTls)
        .starttls;
  };
  EXPECT_EQ(protocol("smtp"), StartTls::smtp);
  EXPECT_EQ(protocol("imap"), StartTls::imap);
  EXPECT_EQ(protocol("pop3"), StartTls::pop3);
  EXPECT_EQ(protocol("ldap"), StartTls::ldap);
  EXPECT_EQ(protocol("postgres"), StartTls::postgresql);
  EXPECT_EQ(listener_of(std::string("bind = [\"0.0.0.0:1\"]\n") + kTls).starttls, StartTls::none);
}

struct WrongKey {
  const char* name;
  const char* keys;
  const char* message;
};
class ListenerBeforeTlsError : public testing::TestWithParam<WrongKey> {};

TEST_P(ListenerBeforeTlsError, NamesTheKeyAndWhatToWrite) {
  try {
    static_cast<void>(listener_of(GetParam().keys));
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

constexpr WrongKey kWrongKeys[] = {
    {"redirect_elsewhere", "bind = [\"0.0.0.0:80\"]\nredirect = \"http\"\n",
     "tlsd.listener.redirect: expected \"https\", got \"http\""},
    {"redirect_with_certificates", "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\ncertificates = [\"x\"]\n",
     "tlsd.listener.certificates: a listener with redirect speaks no TLS"},
    {"redirect_with_a_backend", "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\nbackend = \"app\"\n",
     "tlsd.listener.backend: a listener with redirect passes on the challenges of ACME alone; write "
     "acme-backend"},
    {"redirect_with_a_route",
     "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\n[[tlsd.listener.route]]\nhost = \"a\"\nbackend = "
     "\"app\"\n",
     "tlsd.listener.route: a listener with redirect passes on the challenges of ACME alone; write "
     "acme-backend"},
    {"redirect_in_mode_tcp", "bind = [\"0.0.0.0:80\"]\nmode = \"tcp\"\nredirect = \"https\"\n",
     "tlsd.listener.redirect: is of HTTP"},
    {"redirect_with_starttls",
     "bind = [\"0.0.0.0:80\"]\nmode = \"tcp\"\nredirect = \"https\"\nstarttls = \"smtp\"\n",
     "tlsd.listener.redirect: is of HTTP"},
    {"redirect_to_port_0", "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\nredirect-port = 0\n",
     "tlsd.listener.redirect-port: expected 1 to 65535, got 0"},
    {"redirect_port_alone",
     "bind = [\"0.0.0.0:80\"]\nredirect-port = 8443\ncertificates = [\"x\"]\nbackend = \"app\"\n",
     "tlsd.listener.redirect-port: means nothing without redirect = \"https\""},
    {"acme_backend_alone",
     "bind = [\"0.0.0.0:80\"]\nacme-backend = \"app\"\ncertificates = [\"x\"]\nbackend = \"app\"\n",
     "tlsd.listener.acme-backend: means nothing without redirect = \"https\""},
    {"acme_backend_unknown", "bind = [\"0.0.0.0:80\"]\nredirect = \"https\"\nacme-backend = \"ap\"\n",
     "tlsd.listener.acme-backend: there is no section [tlsd.backend.ap]; did you mean \"app\"?"},
    {"proxy_by_name", "bind = [\"0.0.0.0:1\"]\naccept-proxy = [\"lb.example\"]\n",
     "tlsd.listener.accept-proxy: expected addresses like"},
    {"proxy_with_bits_behind_the_prefix", "bind = [\"0.0.0.0:1\"]\naccept-proxy = [\"10.0.0.1/8\"]\n",
     "tlsd.listener.accept-proxy: expected addresses like"},
    {"proxies_on_no_socket", "bind = [\"0.0.0.0:1\"]\naccept-proxy = [\"unix\"]\n",
     "tlsd.listener.accept-proxy: \"unix\" means who connects to a UNIX socket, and there is none in bind"},
    {"deny_by_name", "bind = [\"0.0.0.0:1\"]\ndeny = [\"evil.example\"]\n",
     "tlsd.listener.deny: expected addresses like"},
    {"no_connection_per_address", "bind = [\"0.0.0.0:1\"]\nmax-connections-per-address = 0\n",
     "tlsd.listener.max-connections-per-address: expected 1 to 1000000, got 0"},
    {"starttls_of_http", "bind = [\"0.0.0.0:1\"]\nstarttls = \"smtp\"\n",
     "tlsd.listener.starttls: a listener of mode \"http\" has no such protocol; write mode = \"tcp\""},
    {"starttls_unknown", "bind = [\"0.0.0.0:1\"]\nmode = \"tcp\"\nstarttls = \"ftp\"\n",
     "tlsd.listener.starttls: expected \"smtp\", \"imap\", \"pop3\", \"ldap\" or \"postgres\", got \"ftp\""},
    {"bind_by_name", "bind = [\"localhost:1\"]\n",
     "tlsd.listener.bind: expected an address and a port like \"127.0.0.1:8443\" or \"[::1]:8443\" (names "
     "are not resolved)"},
    {"socket_relative", "bind = [\"unix:a.sock\"]\n", "tlsd.listener.bind: expected an address and a port"},
    {"socket_twice", "bind = [\"unix:/a\", \"unix:/a\"]\n",
     "tlsd.listener.bind: \"unix:/a\" stands here twice"},
};
INSTANTIATE_TEST_SUITE_P(Keys, ListenerBeforeTlsError, testing::ValuesIn(kWrongKeys),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ListenerBeforeTls, HasItsSocketAlone) {
  const std::string first = std::string("bind = [\"unix:/run/a.sock\"]\n") + kTls;
  const std::string second =
      std::string("[[tlsd.listener]]\nname = \"b\"\nbind = [\"unix:/run/a.sock\"]\n") + kTls;
  try {
    static_cast<void>(listener_of(first + second));
    FAIL() << "two listeners have one socket";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"unix:/run/a.sock\" is already taken by another listener"));
  }
}

}  // namespace
}  // namespace keystay::config
