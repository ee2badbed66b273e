// [token.NAME] of a token on another machine.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/configuration_error.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr char kShortest[] = R"([token.web]
endpoints = ["hsm.example:4442"]
ca = "/ca.pem"
certificate = "/c.pem"
key = "/k.pem"
label = "hsm"
)";

TokenSettings parse(const std::string& toml) {
  return parse_configuration(toml, "keystay.toml").tokens.at("web");
}

TEST(RemoteSettings, HaveDefaults) {
  const TokenSettings token = parse(kShortest);
  EXPECT_EQ(token.module, "");
  ASSERT_TRUE(token.remote);
  EXPECT_THAT(token.remote->endpoints, ElementsAre(RemoteEndpoint{"hsm.example", 4442}));
  EXPECT_EQ(token.remote->host, "");
  EXPECT_EQ(token.remote->lanes, 4U);
  EXPECT_EQ(token.remote->connect_timeout, 2s);
  EXPECT_EQ(token.remote->response_timeout, token.timeout / 2);
  EXPECT_EQ(token.remote->relay.filename(), "keystay-relay");
}

TEST(RemoteSettings, AreAllRead) {
  const TokenSettings token = parse(R"([token.web]
endpoints = ["a.example:1", "[2001:db8::7]:2", "192.0.2.7:3"]
ca = "/ca.pem"
certificate = "/c.pem"
key = "/k.pem"
host = "hsm.example"
label = "hsm"
lanes = 8
timeout = "8s"
connect-timeout = "1s"
response-timeout = "3s"
relay = "/opt/keystay-relay"
)");
  EXPECT_THAT(token.remote->endpoints,
              ElementsAre(RemoteEndpoint{"a.example", 1}, RemoteEndpoint{"2001:db8::7", 2},
                          RemoteEndpoint{"192.0.2.7", 3}));
  EXPECT_EQ(token.remote->ca, "/ca.pem");
  EXPECT_EQ(token.remote->certificate, "/c.pem");
  EXPECT_EQ(token.remote->key, "/k.pem");
  EXPECT_EQ(token.remote->host, "hsm.example");
  EXPECT_EQ(token.remote->lanes, 8U);
  EXPECT_EQ(token.remote->connect_timeout, 1s);
  EXPECT_EQ(token.remote->response_timeout, 3s);
  EXPECT_EQ(token.remote->relay, "/opt/keystay-relay");
}

TEST(RemoteSettings, OfASocketOfThisMachineNeedNoTls) {
  const TokenSettings token = parse("[token.web]\nendpoints = [\"unix:/run/a.sock\"]\nlabel = \"hsm\"\n");
  ASSERT_TRUE(token.remote);
  EXPECT_TRUE(token.remote->is_local());
  EXPECT_EQ(token.remote->endpoints.front().socket, "/run/a.sock");
  EXPECT_FALSE(parse(kShortest).remote->is_local());
}

TEST(RemoteSettings, EndpointsAreWrittenAsTheyAreRead) {
  for (const char* text :
       {"hsm.example:4442", "[2001:db8::7]:4442", "192.0.2.7:4442", "hsm_1:1", "unix:/run/a.sock"})
    EXPECT_EQ(format_remote_endpoint(*parse_remote_endpoint(text)), text);
  for (const char* text : {"", "hsm.example", "hsm.example:", ":4442", "hsm.example:0", "hsm.example:65536",
                           "hsm example:1", "https://hsm.example:1", "192.0.2:1", "2001:db8::7:1", "-a:1",
                           ".a:1", "a:1 ", "a\n:1", "unix:", "unix:a"})
    EXPECT_FALSE(parse_remote_endpoint(text)) << text;
}

struct Case {
  const char* name;
  const char* toml;
  const char* message;
};
void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

class RemoteSettingsError : public testing::TestWithParam<Case> {};

TEST_P(RemoteSettingsError, NamesFileLineKeyAndTheRemedy) {
  EXPECT_EQ(error_of(GetParam().toml), GetParam().message);
}

const Case kCases[] = {
    {"CaMissing", "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\n",
     "keystay.toml:1: token.web.ca: missing; write ca = \"/etc/keystay/hsm-ca.pem\""},
    {"CertificateMissing", "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\n",
     "keystay.toml:1: token.web.certificate: missing; write certificate = \"/etc/keystay/client.pem\" and "
     "key = "
     "\"/etc/keystay/client-key.pem\", or pkcs12 = \"/etc/keystay/client.p12\" that has both"},
    {"CertificateAndPkcs12",
     "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\npkcs12 = \"/c.p12\"\nkey = \"/k\"\n",
     "keystay.toml:6: token.web.key: pkcs12 has the certificate and its key already; remove this key, or "
     "pkcs12"},
    {"Pkcs12IsRelative",
     "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\npkcs12 = \"c.p12\"\n",
     "keystay.toml:5: token.web.pkcs12: expected the absolute path of a PKCS #12 file like "
     "\"/etc/keystay/client.p12\", got \"c.p12\""},
    {"PasswordWithoutPkcs12",
     "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\npkcs12-password = \"file:/p\"\n",
     "keystay.toml:5: token.web.pkcs12-password: the password of which file? write pkcs12 = "
     "\"/etc/keystay/client.p12\""},
    {"ThePasswordItself",
     "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\npkcs12 = \"/c\"\npkcs12-password = "
     "\"secret\"\n",
     "keystay.toml:6: token.web.pkcs12-password: this names no place of a password (is it the password "
     "itself?); "
     "write \"file:/path\", \"env:NAME\" or \"credential:NAME\", or leave it out for a file without one"},
    {"APersonIsAskedForThePassword",
     "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\npkcs12 = \"/c\"\npkcs12-password = "
     "\"prompt\"\n",
     "keystay.toml:6: token.web.pkcs12-password: this names no place of a password (is it the password "
     "itself?); "
     "write \"file:/path\", \"env:NAME\" or \"credential:NAME\", or leave it out for a file without one"},
    {"KeyMissing", "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"/a\"\ncertificate = \"/c\"\n",
     "keystay.toml:1: token.web.key: missing; write key = \"/etc/keystay/client-key.pem\""},
    {"CaIsRelative", "[token.web]\nendpoints = [\"a:1\"]\nlabel = \"w\"\nca = \"ca.pem\"\n",
     "keystay.toml:4: token.web.ca: expected the absolute path of a PEM file like "
     "\"/etc/keystay/hsm-ca.pem\", "
     "got \"ca.pem\""},
    {"EndpointIsAUrl", "[token.web]\nendpoints = [\"https://a:1\"]\nlabel = \"w\"\n",
     "keystay.toml:2: token.web.endpoints: expected a name or an address and a port like "
     "\"hsm.example:4442\" "
     "or \"[2001:db8::7]:4442\", or a socket like \"unix:/run/p11-kit.sock\", got \"https://a:1\""},
    {"EndpointTwice", "[token.web]\nendpoints = [\"a:1\", \"a:1\"]\nlabel = \"w\"\n",
     "keystay.toml:2: token.web.endpoints: \"a:1\" stands here twice"},
    {"SocketAndEndpoint", "[token.web]\nendpoints = [\"unix:/s\", \"a:1\"]\nlabel = \"w\"\n",
     "keystay.toml:2: token.web.endpoints: either all are sockets of this machine, or none is"},
    {"SocketWithTls", "[token.web]\nendpoints = [\"unix:/s\"]\nlabel = \"w\"\nca = \"/ca.pem\"\n",
     "keystay.toml:4: token.web.ca: a socket of this machine has no TLS; remove the key, or name another "
     "machine's endpoint"},
    {"ModuleAndEndpoints", "[token.web]\nmodule = \"/m.so\"\nendpoints = [\"a:1\"]\nlabel = \"w\"\n",
     "keystay.toml:2: token.web.module: the module of a token on another machine is configured there; remove "
     "the key, or endpoints for a module of this machine"},
    {"HostWithoutEndpoints", "[token.web]\nmodule = \"/m.so\"\nhost = \"a\"\nlabel = \"w\"\n",
     "keystay.toml:3: token.web.host: means nothing without endpoints = [\"hsm.example:4442\"], which put "
     "the "
     "token on another machine"},
    {"ResponseTimeoutIsLonger",
     "[token.web]\nendpoints = [\"a:1\"]\nca = \"/a\"\ncertificate = \"/c\"\nkey = \"/k\"\nlabel = "
     "\"w\"\nresponse-timeout = \"6s\"\n",
     "keystay.toml:7: token.web.response-timeout: is longer than timeout, the time of a whole operation"},
    {"MoreLanesThanAProcessHas",
     "[token.a]\nendpoints = [\"unix:/a\"]\nlabel = \"w\"\nlanes = 32\n[token.b]\nendpoints = "
     "[\"unix:/b\"]\nlabel = \"w\"\n[token.c]\nendpoints = [\"unix:/c\"]\nlabel = \"w\"\nlanes = 30\n",
     "keystay.toml:11: token.c.lanes: with its 30 lanes the tokens on other machines have 66, and a process "
     "has at most 64 connections; write smaller `lanes` (4 if nothing is written)"},
};
INSTANTIATE_TEST_SUITE_P(Token, RemoteSettingsError, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace keystay::config
