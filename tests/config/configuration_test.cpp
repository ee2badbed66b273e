#include "native/config/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "native/config/error.h"
#include "tests/support/temporary_directory.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

Configuration parse(std::string_view toml) { return parse_configuration(toml, "keystay.toml"); }

constexpr std::string_view kModuleAndLabel = "module = \"/usr/lib/m.so\"\nlabel = \"web\"\n";

std::string token(const std::string& name) { return "[token." + name + "]\n" + std::string(kModuleAndLabel); }

TEST(Configuration, ReadsEveryKeyOfAToken) {
  const auto configuration = parse(R"(
[token.web]
module   = "/usr/lib/softhsm/libsofthsm2.so"
module-arguments = "configDir='sql:/etc/pki/nssdb' flags=readOnly"
label    = "web"
serial   = "0123456789abcdef"
pin      = "file:/etc/keystay/web.pin"
sessions = 7
timeout  = "1500ms"
key-copy = "never"
key-check = "250ms"
hung-calls = "leave"
import   = "allow"
)");
  const TokenSettings& web = configuration.tokens.at("web");
  EXPECT_EQ(web.module, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(web.module_arguments, "configDir='sql:/etc/pki/nssdb' flags=readOnly");
  EXPECT_EQ(web.label, "web");
  EXPECT_EQ(web.serial, "0123456789abcdef");
  EXPECT_EQ(web.pin, "file:/etc/keystay/web.pin");
  EXPECT_EQ(web.sessions, 7U);
  EXPECT_EQ(web.timeout, 1500ms);
  EXPECT_EQ(web.key_copy, KeyCopy::never);
  EXPECT_EQ(web.key_check, 250ms);
  EXPECT_EQ(web.hung_calls, HungCalls::left);
  EXPECT_EQ(web.key_import, KeyImport::allowed);
}

TEST(Configuration, HasADefaultForWhatATokenLeavesOut) {
  const TokenSettings web = parse(token("web")).tokens.at("web");
  EXPECT_EQ(web.module_arguments, "");
  EXPECT_EQ(web.serial, "");
  EXPECT_EQ(web.pin, "");
  EXPECT_EQ(web.sessions, 32U);
  EXPECT_EQ(web.timeout, 5s);
  EXPECT_EQ(web.key_copy, KeyCopy::automatic);
  EXPECT_EQ(web.key_check, 5s);
  EXPECT_EQ(web.hung_calls, HungCalls::waited_for);
  EXPECT_EQ(web.key_import, KeyImport::refused);
}

TEST(Configuration, TakesTheOnlyTokenAsTheDefault) { EXPECT_EQ(parse(token("web")).default_token, "web"); }

TEST(Configuration, HasNoDefaultAmongSeveralTokensUnlessOneIsNamed) {
  const std::string two = token("a") + token("b");
  EXPECT_EQ(parse(two).default_token, "");
  EXPECT_EQ(parse("default = \"b\"\n" + two).default_token, "b");
}

TEST(Configuration, MayBeEmpty) {
  const auto configuration = parse("");
  EXPECT_THAT(configuration.tokens, IsEmpty());
  EXPECT_EQ(configuration.default_token, "");
  EXPECT_THAT(configuration.tlsd.listeners, IsEmpty());
}

TEST(Configuration, ReadsEveryKeyOfTlsd) {
  const auto configuration = parse(R"(
[tlsd]
threads = 2
user = "keystay-tlsd"
group = "keystay"
admin = "127.0.0.1:9440"
drain-timeout = "1m"
access-log = "/var/log/access.log"
access-log-format = "json"

[[tlsd.listener]]
name = "https"
bind = ["0.0.0.0:8443", "[::1]:8443"]
mode = "http"
certificates = ["httpd-rsa", "pkcs11:token=web;object=httpd-ec"]
backend = "app"
max-connections = 50
handshake-timeout = "3s"
request-head-timeout = "2s"
request-timeout = "4s"
stall-timeout = "7s"
min-body-rate = 500
max-request-line = 8000
max-request-head = 32768
max-request-fields = 64
max-request-trailer = 0
max-request-body = 1000000
error-pages = "/etc/keystay/error-pages"
access-log = "stderr"
health-path = "/healthz"
access-log-format = "combined"
idle-timeout = "1h"

[[tlsd.listener]]
name = "other"
bind = ["0.0.0.0:9443"]
certificates = ["httpd-rsa"]
backend = "app"

[tlsd.backend.app]
servers = ["127.0.0.1:8080", "127.0.0.1:8081"]
connect-timeout = "1s"
response-head-timeout = "1500ms"
response-timeout = "2s"
)");
  const TlsdSettings& tlsd = configuration.tlsd;
  EXPECT_EQ(tlsd.threads, 2U);
  EXPECT_EQ(tlsd.user, "keystay-tlsd");
  EXPECT_EQ(tlsd.group, "keystay");
  EXPECT_EQ(tlsd.admin, (Endpoint{"127.0.0.1", 9440}));
  EXPECT_EQ(tlsd.drain_timeout, 60s);
  ASSERT_EQ(tlsd.listeners.size(), 2U);
  const ListenerSettings& https = tlsd.listeners[0];
  EXPECT_EQ(https.name, "https");
  EXPECT_THAT(https.bind, ElementsAre(Endpoint{"0.0.0.0", 8443}, Endpoint{"::1", 8443}));
  EXPECT_EQ(https.mode, ListenerMode::http);
  EXPECT_THAT(https.certificates, ElementsAre("httpd-rsa", "pkcs11:token=web;object=httpd-ec"));
  EXPECT_EQ(https.backend, "app");
  EXPECT_EQ(https.max_connections, 50U);
  EXPECT_EQ(https.handshake_timeout, 3s);
  EXPECT_EQ(https.request_head_timeout, 2s);
  EXPECT_EQ(https.request_timeout, 4s);
  EXPECT_EQ(https.stall_timeout, 7s);
  EXPECT_EQ(https.health_path, "/healthz");
  EXPECT_EQ(https.min_body_rate, 500U);
  EXPECT_EQ(https.request_sizes.line, 8000U);
  EXPECT_EQ(https.request_sizes.head, 32768U);
  EXPECT_EQ(https.request_sizes.fields, 64U);
  EXPECT_EQ(https.request_sizes.trailer, 0U);
  EXPECT_EQ(https.request_sizes.body, 1'000'000U);
  EXPECT_EQ(https.error_pages, "/etc/keystay/error-pages");
  EXPECT_EQ(https.access_log, (AccessLogSettings{"stderr", AccessLogFormat::combined}));
  EXPECT_EQ(tlsd.listeners[1].access_log, (AccessLogSettings{"/var/log/access.log", AccessLogFormat::json}));
  EXPECT_EQ(https.idle_timeout, 1h);
  EXPECT_EQ(tlsd.listeners[1].handshake_timeout, ListenerSettings().handshake_timeout);
  const BackendSettings& app = tlsd.backends.at("app");
  EXPECT_THAT(app.servers, ElementsAre(Endpoint{"127.0.0.1", 8080}, Endpoint{"127.0.0.1", 8081}));
  EXPECT_EQ(app.connect_timeout, 1s);
  EXPECT_EQ(app.response_head_timeout, 1500ms);
  EXPECT_EQ(app.response_timeout, 2s);
}

TEST(Configuration, ReadsListenersOfModeTcp) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "pg"
bind = ["0.0.0.0:5433"]
mode = "tcp"
certificates = ["db"]
backend = "db"
alpn = ["postgresql", "other"]
[[tlsd.listener]]
name = "quick"
bind = ["0.0.0.0:5434"]
mode = "tcp"
certificates = ["db"]
backend = "db"
idle-timeout = "1s"
[tlsd.backend.db]
servers = ["127.0.0.1:5432"]
send-proxy = "v2"
)");
  const ListenerSettings& pg = configuration.tlsd.listeners[0];
  EXPECT_EQ(pg.mode, ListenerMode::tcp);
  EXPECT_THAT(pg.alpn, ElementsAre("postgresql", "other"));
  EXPECT_EQ(pg.idle_timeout, 10min);
  EXPECT_EQ(configuration.tlsd.listeners[1].idle_timeout, 1s);
  EXPECT_EQ(configuration.tlsd.backends.at("db").send_proxy, SendProxy::v2);
}

TEST(Configuration, ReadsHowServersAreChosen) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "https"
bind = ["0.0.0.0:443"]
certificates = ["httpd"]
backend = "app"
[[tlsd.listener.route]]
host = "API.example"
path = "/v1/"
backend = "api"
[[tlsd.listener.route]]
host = "*.example"
backend = "app"
[tlsd.backend.app]
servers = ["app.example:8080", "app-2:80"]
balance = "least-connections"
resolve-interval = "1m"
health-check = { path = "/healthz", interval = "3s", timeout = "2s", rise = 4, fall = 5 }
[tlsd.backend.api]
servers = ["unix:/run/api.sock"]
health-check = {}
tls = { ca = "/ca.pem", name = "api.example", certificate = "/client.pem", key = "/client.key" }
)");
  EXPECT_THAT(configuration.tlsd.listeners[0].routes,
              ElementsAre(Route{"api.example", "/v1", "api"}, Route{"*.example", "", "app"}));
  const BackendSettings& app = configuration.tlsd.backends.at("app");
  ASSERT_EQ(app.servers.size(), 2U);
  EXPECT_EQ(*app.servers[0].name(), (HostPort{"app.example", 8080}));
  EXPECT_EQ(app.servers[1].text(), "app-2:80");
  EXPECT_EQ(app.balance, Balance::least_connections);
  EXPECT_EQ(app.resolve_interval, 1min);
  EXPECT_EQ(app.health_check, (HealthCheck{"/healthz", 3s, 2s, 4, 5}));
  EXPECT_EQ(app.tls, std::nullopt);
  EXPECT_EQ(configuration.tlsd.backends.at("api").health_check, HealthCheck());
  EXPECT_EQ(configuration.tlsd.backends.at("api").tls,
            (BackendTls{"/ca.pem", "api.example", "/client.pem", "/client.key"}));
}

TEST(Configuration, ReadsWhoMayConnect) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "hsm"
bind = ["0.0.0.0:4442"]
mode = "tcp"
certificates = ["hsm"]
backend = "hsm"
client-ca = "/etc/keystay/clients-ca.pem"
client-names = ["web-1.example", "URI:spiffe://example/web", "CN=web-2"]
client-crl = "/etc/keystay/clients-crl.pem"
client-certificate = "optional"
allow = ["192.0.2.0/24", "::1"]
[tlsd.backend.hsm]
servers = ["unix:/run/keystay/hsm.sock"]
)");
  const ListenerSettings& hsm = configuration.tlsd.listeners[0];
  ASSERT_TRUE(hsm.clients);
  EXPECT_EQ(hsm.clients->ca, "/etc/keystay/clients-ca.pem");
  EXPECT_EQ(hsm.clients->crl, "/etc/keystay/clients-crl.pem");
  EXPECT_FALSE(hsm.clients->required);
  EXPECT_THAT(hsm.clients->names, ElementsAre("web-1.example", "URI:spiffe://example/web", "CN=web-2"));
  EXPECT_THAT(hsm.allow, ElementsAre(*AddressRange::parse("192.0.2.0/24"), *AddressRange::parse("::1")));
  EXPECT_EQ(*configuration.tlsd.backends.at("hsm").servers.at(0).socket(), "/run/keystay/hsm.sock");
}

TEST(Configuration, ReadsWhetherAListenerSpeaksHttp2) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "one"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
[[tlsd.listener]]
name = "other"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
http2 = false
http2-max-streams = 7
[tlsd.backend.app]
servers = ["127.0.0.1:8080"]
)");
  EXPECT_TRUE(configuration.tlsd.listeners[0].http2);
  EXPECT_EQ(configuration.tlsd.listeners[0].http2_max_streams, 100U);
  EXPECT_FALSE(configuration.tlsd.listeners[1].http2);
  EXPECT_EQ(configuration.tlsd.listeners[1].http2_max_streams, 7U);
}

TEST(Configuration, ReadsWhatAListenerAgreesToInTls) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "a"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
min-version = "TLSv1.2"
max-version = "TLSv1.3"
ciphers = "ECDHE+AESGCM"
cipher-suites = "TLS_AES_128_GCM_SHA256"
groups = "?X25519MLKEM768:X25519"
signature-algorithms = "ed25519"
unknown-name = "refuse"
[[tlsd.listener]]
name = "b"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
[tlsd.backend.app]
servers = ["127.0.0.1:1"]
)");
  const TlsSettings& tls = configuration.tlsd.listeners[0].tls;
  EXPECT_EQ(tls.min_version, TlsVersion::tls12);
  EXPECT_EQ(tls.max_version, TlsVersion::tls13);
  EXPECT_EQ(tls.ciphers->text, "ECDHE+AESGCM");
  EXPECT_EQ(tls.ciphers->place, "keystay.toml:9: tlsd.listener.ciphers");
  EXPECT_EQ(tls.cipher_suites->text, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(tls.groups->text, "?X25519MLKEM768:X25519");
  EXPECT_EQ(tls.signature_algorithms->text, "ed25519");
  EXPECT_EQ(tls.unknown_name, UnknownName::refuse);
  const TlsSettings& by_default = configuration.tlsd.listeners[1].tls;
  EXPECT_FALSE(by_default.ciphers || by_default.cipher_suites || by_default.groups ||
               by_default.signature_algorithms);
  EXPECT_EQ(by_default.unknown_name, UnknownName::serve_default);
}

TEST(Configuration, ReadsWhereTicketKeysComeFrom) {
  using Source = TicketSettings::Source;
  const TicketSettings alias = parse(R"(
[tlsd]
tickets = { alias = "web/tickets", rotation = "6h", lifetime = "24h" }
)")
                                   .tlsd.tickets;
  EXPECT_EQ(alias.source, Source::alias);
  EXPECT_EQ(alias.name, "web/tickets");
  EXPECT_EQ(alias.rotation, 6h);
  EXPECT_EQ(alias.lifetime, 24h);
  EXPECT_EQ(alias.place, "keystay.toml:3: tlsd.tickets.alias");
  EXPECT_EQ(parse("[tlsd.tickets]\nfile = \"/t\"\n").tlsd.tickets.source, Source::file);
  EXPECT_EQ(parse("[tlsd]\ntickets = \"off\"\n").tlsd.tickets.source, Source::off);
  const TicketSettings by_default = parse("[tlsd]\n").tlsd.tickets;
  EXPECT_EQ(by_default.source, Source::random);
  EXPECT_EQ(by_default.rotation, 12h);
  EXPECT_EQ(by_default.lifetime, 2h);
}

TEST(Configuration, ReadsWhereOcspResponsesComeFrom) {
  const auto ocsp = [](const std::string& value) {
    return parse(
               "[[tlsd.listener]]\nname = \"a\"\nbind = [\"127.0.0.1:0\"]\ncertificates = [\"x\"]\nbackend = "
               "\"app\"\n" +
               value + "\n[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n")
        .tlsd.listeners[0]
        .ocsp;
  };
  EXPECT_EQ(ocsp("").source, OcspSettings::Source::off);
  EXPECT_EQ(ocsp("ocsp = \"off\"").source, OcspSettings::Source::off);
  EXPECT_EQ(ocsp("ocsp = \"fetch\"").source, OcspSettings::Source::fetch);
  EXPECT_THAT(ocsp("ocsp = \"/a\"").files, ElementsAre("/a"));
  EXPECT_THAT(ocsp("ocsp = [\"/a\", \"/b\"]").files, ElementsAre("/a", "/b"));
  EXPECT_EQ(ocsp("ocsp = \"/a\"").place, "keystay.toml:6: tlsd.listener.ocsp");
}

TEST(Configuration, ReadsHowOftenCertificatesAreLookedAt) {
  EXPECT_EQ(parse("[tlsd]\n").tlsd.certificate_check, 60s);
  EXPECT_EQ(parse("[tlsd]\ncertificate-check = \"5m\"\n").tlsd.certificate_check, 5min);
  EXPECT_EQ(parse("[tlsd]\ncertificate-check = \"off\"\n").tlsd.certificate_check, 0s);
}

TEST(Configuration, LetsSeveralListenersAskForAFreePort) {
  const auto configuration = parse(R"(
[[tlsd.listener]]
name = "a"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
[[tlsd.listener]]
name = "b"
bind = ["127.0.0.1:0"]
certificates = ["x"]
backend = "app"
[tlsd.backend.app]
servers = ["127.0.0.1:1"]
)");
  EXPECT_EQ(configuration.tlsd.listeners.size(), 2U);
}

TEST(Configuration, RemembersTheFileItCameFrom) {
  const test::TemporaryDirectory directory;
  const auto file = directory.write("keystay.toml", token("web"));
  EXPECT_EQ(read_configuration(file).file, file);
}

TEST(Configuration, IsWhereKeystayConfSays) {
  ::setenv("KEYSTAY_CONF", "/tmp/other.toml", 1);
  EXPECT_EQ(configuration_file(), "/tmp/other.toml");
  ::setenv("KEYSTAY_CONF", "", 1);
  EXPECT_EQ(configuration_file(), "/etc/keystay/keystay.toml");
  ::unsetenv("KEYSTAY_CONF");
  EXPECT_EQ(configuration_file(), "/etc/keystay/keystay.toml");
}

}  // namespace
}  // namespace keystay::config
