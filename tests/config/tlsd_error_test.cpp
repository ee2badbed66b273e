// Every message that a broken section of [tlsd] can cause.
#include "tests/config/configuration_error.h"

namespace keystay::config {
namespace {

constexpr ErrorCase kTlsd[] = {
    {"UnknownKey", "[tlsd]\nthread = 2\n",
     "keystay.toml:2: tlsd.thread: unknown key; did you mean \"threads\"?"},
    {"Threads", "[tlsd]\nthreads = 1.5\n",
     "keystay.toml:2: tlsd.threads: expected a number, 1 to 256, without quotes"},
    {"AdminByName", "[tlsd]\nadmin = \"localhost:9440\"\n",
     "keystay.toml:2: tlsd.admin: expected an address and a port like \"127.0.0.1:8443\" or \"[::1]:8443\" "
     "(names are "
     "not resolved), got \"localhost:9440\""},
    {"AccessLogRelative", "[tlsd]\naccess-log = \"access.log\"\n",
     "keystay.toml:2: tlsd.access-log: expected the absolute path of a file, \"stderr\", \"stdout\" or "
     "\"none\", got \"access.log\""},
    {"AccessLogDirectory", "[tlsd]\naccess-log = \"/var/log/\"\n",
     "keystay.toml:2: tlsd.access-log: expected the absolute path of a file, \"stderr\", \"stdout\" or "
     "\"none\", got \"/var/log/\""},
    {"AccessLogFormat", "[tlsd]\naccess-log-format = \"common\"\n",
     "keystay.toml:2: tlsd.access-log-format: expected \"combined\" or \"json\", got \"common\""},
    {"ListenerInSingleBrackets", "[tlsd.listener]\nname = \"https\"\n",
     "keystay.toml:1: tlsd.listener: expected sections in double brackets: [[tlsd.listener]]"},
    {"ListenerIsNumbers", "[tlsd]\nlistener = [1]\n",
     "keystay.toml:2: tlsd.listener: expected sections in double brackets: [[tlsd.listener]]"},
    {"NoName", "[[tlsd.listener]]\nbind = [\"0.0.0.0:1\"]\n",
     "keystay.toml:1: tlsd.listener.name: missing; write name = \"https\""},
    {"NoBind", "[[tlsd.listener]]\nname = \"https\"\n",
     "keystay.toml:1: tlsd.listener.bind: missing; write bind = [\"0.0.0.0:8443\"]"},
    {"BindIsNoArray", "[[tlsd.listener]]\nname = \"https\"\nbind = \"0.0.0.0:1\"\n",
     "keystay.toml:3: tlsd.listener.bind: expected an array of strings: bind = [\"…\"]"},
    {"BindIsNumbers", "[[tlsd.listener]]\nname = \"https\"\nbind = [8443]\n",
     "keystay.toml:3: tlsd.listener.bind: expected strings in quotes, none of them empty: bind = [\"…\"]"},
    {"BindEmpty", "[[tlsd.listener]]\nname = \"https\"\nbind = []\n",
     "keystay.toml:3: tlsd.listener.bind: must not be empty; write bind = [\"0.0.0.0:8443\"]"},
    {"BindTwice", "[[tlsd.listener]]\nname = \"https\"\nbind = [\"[::]:1\", \"[::]:1\"]\n",
     "keystay.toml:3: tlsd.listener.bind: \"[::]:1\" stands here twice"},
    {"ModeTcpWithRequests",
     "[[tlsd.listener]]\nname = \"ftps\"\nbind = [\"0.0.0.0:990\"]\nmode = \"tcp\"\nrequest-timeout = "
     "\"1s\"\n",
     "keystay.toml:5: tlsd.listener.request-timeout: a listener of mode \"tcp\" knows no requests; its time "
     "limit is idle-timeout"},
    {"ModeHttpWithAlpn", "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:990\"]\nalpn = [\"h2\"]\n",
     "keystay.toml:4: tlsd.listener.alpn: a listener of mode \"http\" always offers \"http/1.1\", and \"h2\" "
     "unless it has http2 = false; remove the key"},
    {"ModeTcpWithHttp2",
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:990\"]\nmode = \"tcp\"\nhttp2 = false\n",
     "keystay.toml:5: tlsd.listener.http2: a listener of mode \"tcp\" reads no HTTP; remove the key"},
    {"HealthPath",
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = "
     "\"app\"\nhealth-path = \"healthz\"\n[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n",
     "keystay.toml:6: tlsd.listener.health-path: expected a path like \"/healthz\", got \"healthz\""},
    {"AlpnTwice",
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:990\"]\nmode = \"tcp\"\nalpn = [\"x\", \"x\"]\n",
     "keystay.toml:5: tlsd.listener.alpn: \"x\" stands here twice"},
    {"SendProxyUnknown", "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\nsend-proxy = \"v1\"\n",
     "keystay.toml:3: tlsd.backend.app.send-proxy: expected \"v2\" or \"none\", got \"v1\""},
    {"SendProxyToHttp",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\nsend-proxy = \"v2\"\n[[tlsd.listener]]\nname = "
     "\"a\"\nbind = [\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\n",
     "keystay.toml:8: tlsd.listener.backend: \"app\" has send-proxy, but connections to servers of HTTP "
     "carry "
     "requests of many clients; they get X-Forwarded-For. Give this listener a backend without it"},
    {"ModeUnknown", "[[tlsd.listener]]\nname = \"ftps\"\nbind = [\"0.0.0.0:990\"]\nmode = \"ftp\"\n",
     "keystay.toml:4: tlsd.listener.mode: expected \"http\" or \"tcp\", got \"ftp\""},
    {"NoCertificates", "[[tlsd.listener]]\nname = \"https\"\nbind = [\"0.0.0.0:1\"]\n",
     "keystay.toml:1: tlsd.listener.certificates: missing; write certificates = [\"httpd\"], aliases or key "
     "URIs"},
    {"NoBackend", "[[tlsd.listener]]\nname = \"https\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\n",
     "keystay.toml:1: tlsd.listener.backend: missing; write backend = \"app\", the name of a "
     "[tlsd.backend.app]"},
    {"BackendUnknown",
     "[[tlsd.listener]]\nname = \"https\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\nbackend = \"ap\"\n"
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n",
     "keystay.toml:5: tlsd.listener.backend: there is no section [tlsd.backend.ap]; did you mean \"app\"?"},
    {"BackendAbsent",
     "[[tlsd.listener]]\nname = \"https\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\nbackend = "
     "\"app\"\n",
     "keystay.toml:5: tlsd.listener.backend: there is no section [tlsd.backend.app]; add it with servers = "
     "[\"127.0.0.1:8080\"]"},
    {"BackendWithoutServers", "[tlsd.backend.app]\nconnect-timeout = \"1s\"\n",
     "keystay.toml:1: tlsd.backend.app.servers: missing; write servers = [\"127.0.0.1:8080\"]"},
    {"BackendPortZero", "[tlsd.backend.app]\nservers = [\"127.0.0.1:0\"]\n",
     "keystay.toml:2: tlsd.backend.app.servers: nobody can connect to port 0; write the port of the server"},
    {"BackendSocketIsRelative", "[tlsd.backend.app]\nservers = [\"unix:app.sock\"]\n",
     "keystay.toml:2: tlsd.backend.app.servers: expected an address or a name and a port like "
     "\"127.0.0.1:8080\", \"[::1]:8080\" or \"app.example:8080\", or a socket like \"unix:/run/app.sock\" "
     "(an absolute path of "
     "at most 107 bytes), got \"unix:app.sock\""},
    {"BackendAddressIsMistyped", "[tlsd.backend.app]\nservers = [\"127.0.0.300:80\"]\n",
     "keystay.toml:2: tlsd.backend.app.servers: expected an address or a name and a port like "
     "\"127.0.0.1:8080\", \"[::1]:8080\" or \"app.example:8080\", or a socket like \"unix:/run/app.sock\" "
     "(an "
     "absolute path of at most 107 bytes), got \"127.0.0.300:80\""},
    {"BalanceUnknown", "[tlsd.backend.app]\nservers = [\"a:1\"]\nbalance = \"random\"\n",
     "keystay.toml:3: tlsd.backend.app.balance: expected \"round-robin\" or \"least-connections\", got "
     "\"random\""},
    {"HealthCheckIsNoTable", "[tlsd.backend.app]\nservers = [\"a:1\"]\nhealth-check = \"/\"\n",
     "keystay.toml:3: tlsd.backend.app.health-check: expected a section: [tlsd.backend.app.health-check]"},
    {"HealthCheckPath", "[tlsd.backend.app]\nservers = [\"a:1\"]\nhealth-check = { path = \"healthz\" }\n",
     "keystay.toml:3: tlsd.backend.app.health-check.path: expected a path like \"/healthz\"; leave it out "
     "where "
     "a connection shows enough"},
    {"HealthCheckTimeout",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\nhealth-check = { interval = \"1s\", timeout = \"2s\" }\n",
     "keystay.toml:3: tlsd.backend.app.health-check.timeout: is longer than the interval; the next check "
     "would "
     "begin before this one ends"},
    {"RouteOfEverything",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\n"
     "certificates = [\"x\"]\nbackend = \"app\"\n[[tlsd.listener.route]]\nbackend = \"app\"\n",
     "keystay.toml:8: tlsd.listener.route: takes everything; give it a host or a path, or leave it to the "
     "backend "
     "of the listener"},
    {"RouteTwice",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\n"
     "certificates = [\"x\"]\nbackend = \"app\"\n[[tlsd.listener.route]]\nhost = \"a\"\nbackend = \"app\"\n"
     "[[tlsd.listener.route]]\nhost = \"A\"\npath = \"/\"\nbackend = \"app\"\n",
     "keystay.toml:11: tlsd.listener.route: another route has the same host and path"},
    {"RouteHostWithPort",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\n"
     "certificates = [\"x\"]\nbackend = \"app\"\n[[tlsd.listener.route]]\nhost = \"a:1\"\nbackend = "
     "\"app\"\n",
     "keystay.toml:9: tlsd.listener.route.host: expected a name like \"a.example\", or \"*.example\" for "
     "those "
     "with one label more, without a port, got \"a:1\""},
    {"RoutePathOfModeTcp",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\nmode "
     "= "
     "\"tcp\"\ncertificates = [\"x\"]\nbackend = \"app\"\n[[tlsd.listener.route]]\npath = \"/a\"\nbackend = "
     "\"app\"\n",
     "keystay.toml:10: tlsd.listener.route.path: a listener of mode \"tcp\" knows no paths; its routes go by "
     "host, "
     "the server name of TLS"},
    {"RouteBackendUnknown",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\n"
     "certificates = [\"x\"]\nbackend = \"app\"\n[[tlsd.listener.route]]\nhost = \"a\"\nbackend = \"ap\"\n",
     "keystay.toml:10: tlsd.listener.route.backend: there is no section [tlsd.backend.ap]; did you mean "
     "\"app\"?"},
    {"TlsOfASocketWithoutName", "[tlsd.backend.app]\nservers = [\"unix:/run/a.sock\"]\ntls = {}\n",
     "keystay.toml:3: tlsd.backend.app.tls.name: missing; a socket has no host name that the server's "
     "certificate "
     "could have"},
    {"TlsKeyOfAnAlias",
     "[tlsd.backend.app]\nservers = [\"a:1\"]\ntls = { certificate = \"client\", key = \"/client.key\" }\n",
     "keystay.toml:3: tlsd.backend.app.tls.key: belongs to a certificate in a PEM file; an alias has its key "
     "with "
     "it"},
    {"TlsCaIsRelative", "[tlsd.backend.app]\nservers = [\"a:1\"]\ntls = { ca = \"ca.pem\" }\n",
     "keystay.toml:3: tlsd.backend.app.tls.ca: expected the absolute path of a PEM file, got \"ca.pem\""},
    {"ClientNamesWithoutCa",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nclient-names = [\"web\"]\n",
     "keystay.toml:8: tlsd.listener.client-names: means nothing without client-ca, which asks clients for a "
     "certificate"},
    {"ClientCaIsRelative",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nclient-ca = \"ca.pem\"\n",
     "keystay.toml:8: tlsd.listener.client-ca: expected the absolute path of a PEM file, got \"ca.pem\""},
    {"ClientCertificateOfAnotherKind",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nclient-ca = \"/ca.pem\"\n"
     "client-certificate = \"request\"\n",
     "keystay.toml:9: tlsd.listener.client-certificate: expected \"required\" or \"optional\", got "
     "\"request\""},
    {"ClientCertificateWithoutCa",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nclient-certificate = \"optional\"\n",
     "keystay.toml:8: tlsd.listener.client-certificate: means nothing without client-ca, which asks clients "
     "for a certificate"},
    {"VersionThatIsWithdrawn",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmin-version = \"TLSv1.1\"\n",
     "keystay.toml:8: tlsd.listener.min-version: expected \"TLSv1.2\" or \"TLSv1.3\" (RFC 8996 has withdrawn "
     "what was before), got \"TLSv1.1\""},
    {"NoVersionIsLeft",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmin-version = \"TLSv1.3\"\nmax-version = "
     "\"TLSv1.2\"\n",
     "keystay.toml:9: tlsd.listener.max-version: is below min-version, so that no version is left"},
    {"CiphersOfAVersionThatIsNotSpoken",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmin-version = \"TLSv1.3\"\nciphers = "
     "\"A\"\n",
     "keystay.toml:9: tlsd.listener.ciphers: is for TLS 1.2, which min-version forbids; those of TLS 1.3 are "
     "cipher-suites"},
    {"CipherSuitesOfAVersionThatIsNotSpoken",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmax-version = \"TLSv1.2\"\ncipher-suites "
     "= "
     "\"A\"\n",
     "keystay.toml:9: tlsd.listener.cipher-suites: is for TLS 1.3, which max-version forbids; those of TLS "
     "1.2 "
     "are ciphers"},
    {"UnknownNameOfAnotherKind",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nunknown-name = \"close\"\n",
     "keystay.toml:8: tlsd.listener.unknown-name: expected \"default\" or \"refuse\", got \"close\""},
    {"RequestLineBeyondItsHead",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmax-request-line = 16385\n",
     "keystay.toml:8: tlsd.listener.max-request-line: exceeds max-request-head, of which the request line is "
     "a part"},
    {"RequestHeadBeyondWhatIsDecoded",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmax-request-head = 65537\n",
     "keystay.toml:8: tlsd.listener.max-request-head: expected 256 to 65536, got 65537"},
    {"NoFieldOfARequest",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmax-request-fields = 0\n",
     "keystay.toml:8: tlsd.listener.max-request-fields: expected 1 to 1000, got 0"},
    {"BodyRateOfNothing",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nmin-body-rate = 0\n",
     "keystay.toml:8: tlsd.listener.min-body-rate: expected 1 to 1000000000, got 0"},
    {"ErrorPagesByARelativePath",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nerror-pages = \"errors\"\n",
     "keystay.toml:8: tlsd.listener.error-pages: expected the absolute path of a directory, got \"errors\""},
    {"ErrorPagesOfModeTcp",
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:990\"]\nmode = \"tcp\"\nerror-pages = \"/e\"\n",
     "keystay.toml:5: tlsd.listener.error-pages: a listener of mode \"tcp\" reads no HTTP; remove the key"},
    {"EmptyGroups",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\ngroups = \"\"\n",
     "keystay.toml:8: tlsd.listener.groups: must not be empty; write groups = "
     "\"?X25519MLKEM768:X25519:P-256\""},
    {"TicketsOfAnotherKind", "[tlsd]\ntickets = \"on\"\n",
     "keystay.toml:2: tlsd.tickets: expected \"off\", or a table like { alias = \"ticket-key\", rotation = "
     "\"12h\" }"},
    {"TicketKeysFromTwoSources", "[tlsd]\ntickets = { alias = \"t\", file = \"/t\" }\n",
     "keystay.toml:2: tlsd.tickets.file: keys come from an alias or from a file, not from both"},
    {"TicketFileIsRelative", "[tlsd.tickets]\nfile = \"t\"\n",
     "keystay.toml:2: tlsd.tickets.file: expected an absolute path, got \"t\""},
    {"TicketFileWithRotation", "[tlsd.tickets]\nfile = \"/t\"\nrotation = \"1h\"\n",
     "keystay.toml:3: tlsd.tickets.rotation: who writes the file changes its keys; remove the key"},
    {"TicketsThatLiveTooLong", "[tlsd]\ntickets = { lifetime = \"169h\" }\n",
     "keystay.toml:2: tlsd.tickets.lifetime: expected a duration from \"1m\" to \"168h\" (units: ms, s, m, "
     "h), got "
     "\"169h\""},
    {"TooManyTicketKeys", "[tlsd]\ntickets = { rotation = \"1m\" }\n",
     "keystay.toml:2: tlsd.tickets.rotation: is too short for this lifetime: more than 16 old keys would "
     "open "
     "tickets"},
    {"OcspFileIsRelative",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nocsp = \"on\"\n",
     "keystay.toml:8: tlsd.listener.ocsp: expected \"off\", \"fetch\", or absolute paths of responses (DER), "
     "got "
     "\"on\""},
    {"CertificateCheckOfAnotherKind", "[tlsd]\ncertificate-check = \"never\"\n",
     "keystay.toml:2: tlsd.certificate-check: expected a duration from \"1s\" to \"24h\" (units: ms, s, m, "
     "h), got "
     "\"never\""},
    {"AllowHasBitsBehindThePrefix",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n[[tlsd.listener]]\nname = \"a\"\nbind = "
     "[\"0.0.0.0:990\"]\ncertificates = [\"x\"]\nbackend = \"app\"\nallow = [\"192.0.2.7/24\"]\n",
     "keystay.toml:8: tlsd.listener.allow: expected addresses like \"192.0.2.7\" or ranges like "
     "\"192.0.2.0/24\" or \"2001:db8::/32\", without bits behind the prefix, got \"192.0.2.7/24\""},
    {"ListenerNameTwice",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n"
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\nbackend = \"app\"\n"
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:2\"]\ncertificates = [\"x\"]\nbackend = \"app\"\n",
     "keystay.toml:9: tlsd.listener.name: another listener is already called \"a\"; give this one its own "
     "name"},
    {"ListenerPortTwice",
     "[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n"
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\nbackend = \"app\"\n"
     "[[tlsd.listener]]\nname = \"b\"\nbind = [\"0.0.0.0:1\"]\ncertificates = [\"x\"]\nbackend = \"app\"\n",
     "keystay.toml:10: tlsd.listener.bind: \"0.0.0.0:1\" is already taken by another listener or by admin"},
    {"AdminPortTaken",
     "[tlsd]\nadmin = \"127.0.0.1:9440\"\n[tlsd.backend.app]\nservers = [\"127.0.0.1:1\"]\n"
     "[[tlsd.listener]]\nname = \"a\"\nbind = [\"127.0.0.1:9440\"]\ncertificates = [\"x\"]\nbackend = "
     "\"app\"\n",
     "keystay.toml:7: tlsd.listener.bind: \"127.0.0.1:9440\" is already taken by another listener or by "
     "admin"},
};
INSTANTIATE_TEST_SUITE_P(Tlsd, ConfigurationError, testing::ValuesIn(kTlsd),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace keystay::config
