#include "native/config/tlsd_reader.h"

#include <algorithm>

#include "native/config/access_log_reader.h"
#include "native/config/backend_reader.h"
#include "native/config/before_tls_reader.h"
#include "native/config/nearest.h"
#include "native/config/route_reader.h"
#include "native/config/ticket_reader.h"
#include "native/config/tls_reader.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr IntegerRange kThreads{1, 256};
constexpr IntegerRange kConnections{1, 1'000'000};
constexpr IntegerRange kStreams{1, 1000};
constexpr IntegerRange kBodyRate{1, 1'000'000'000};  // bytes a second
constexpr IntegerRange kHeadSize{256, 65'536};       // tlsd decodes no more of HTTP/2
constexpr IntegerRange kTrailerSize{0, 32'768};      // and reads no more of HTTP/1.1 at once than twice that
constexpr IntegerRange kFields{1, 1000};
constexpr IntegerRange kBodySize{0, 1'000'000'000'000'000};
constexpr DurationRange kTimeout{1ms, 24h};
constexpr std::size_t kMostProtocols = 64;
constexpr std::string_view kEndpointForm =
    "expected an address and a port like \"127.0.0.1:8443\" or \"[::1]:8443\" (names are not resolved)";

Endpoint endpoint(const TableReader& table, std::string_view key, std::string_view text) {
  auto parsed = parse_endpoint(text);
  if (!parsed) table.fail(key, std::string(kEndpointForm) + ", got \"" + std::string(text) + "\"");
  return *std::move(parsed);
}

ListenerMode listener_mode(const TableReader& listener) {
  const std::string mode = listener.text("mode").value_or("http");
  if (mode == "http") return ListenerMode::http;
  if (mode == "tcp") return ListenerMode::tcp;
  listener.fail("mode", "expected \"http\" or \"tcp\", got \"" + mode + "\"");
}

// Keys that mean nothing in the other mode are refused there, since they would have no effect.
void check_mode_keys(const TableReader& table, ListenerMode mode) {
  for (const std::string_view key :
       {"request-head-timeout", "request-timeout", "stall-timeout", "min-body-rate", "health-path"}) {
    if (mode == ListenerMode::tcp && table.has(key)) {
      table.fail(key, "a listener of mode \"tcp\" knows no requests; its time limit is idle-timeout");
    }
  }
  if (mode == ListenerMode::http && table.has("alpn")) {
    table.fail("alpn",
               "a listener of mode \"http\" always offers \"http/1.1\", and \"h2\" unless it has http2 = "
               "false; remove the key");
  }
  for (const std::string_view key :
       {"http2", "http2-max-streams", "error-pages", "max-request-line", "max-request-head",
        "max-request-fields", "max-request-trailer", "max-request-body"}) {
    if (mode == ListenerMode::tcp && table.has(key))
      table.fail(key, "a listener of mode \"tcp\" reads no HTTP; remove the key");
  }
}

// RFC 7301, section 3.1: 1 to 255 bytes each; all of them fit into the 16 bits of the extension.
std::vector<std::string> protocols(const TableReader& table) {
  if (!table.has("alpn")) return {};
  std::vector<std::string> result = table.required_texts("alpn", "[\"postgresql\"]");
  for (const std::string& protocol : result) {
    if (protocol.empty() || protocol.size() > 255) {
      table.fail("alpn", "the name of a protocol has 1 to 255 bytes, \"" + protocol + "\" does not");
    }
    if (std::ranges::count(result, protocol) > 1)
      table.fail("alpn", "\"" + protocol + "\" stands here twice");
  }
  if (result.size() > kMostProtocols) table.fail("alpn", "more than 64 protocols");
  return result;
}

std::string named_backend(const TableReader& table, std::string_view key, const TlsdSettings& settings) {
  std::string backend = table.required_text(key, "\"app\", the name of a [tlsd.backend.app]");
  if (settings.backends.contains(backend)) return backend;
  std::vector<std::string_view> names;
  for (const auto& [name, _] : settings.backends) names.push_back(name);
  table.fail(key, "there is no section [tlsd.backend." + backend + "]" +
                      (names.empty() ? "; add it with servers = [\"127.0.0.1:8080\"]"
                                     : "; " + suggest(backend, names)));
}

// Of the listener, and of each of its routes.
std::string listener_backend(const TableReader& table, std::string_view key, ListenerMode mode,
                             const TlsdSettings& settings) {
  std::string backend = named_backend(table, key, settings);
  if (mode == ListenerMode::http && settings.backends.at(backend).send_proxy != SendProxy::none) {
    table.fail(key, "\"" + backend +
                        "\" has send-proxy, but connections to servers of HTTP carry requests of many "
                        "clients; they get X-Forwarded-For. Give this listener a backend without it");
  }
  return backend;
}

bool is_client_certificate_required(const TableReader& listener) {
  const std::string text = listener.text("client-certificate").value_or("required");
  if (text != "required" && text != "optional")
    listener.fail("client-certificate", "expected \"required\" or \"optional\", got \"" + text + "\"");
  return text == "required";
}

std::optional<ClientCertificates> client_certificates(const TableReader& listener) {
  if (!listener.has("client-ca")) {
    for (const char* key : {"client-names", "client-crl", "client-certificate"})
      if (listener.has(key))
        listener.fail(key, "means nothing without client-ca, which asks clients for a certificate");
    return std::nullopt;
  }
  ClientCertificates clients;
  clients.ca = listener.required_text("client-ca", "\"/etc/keystay/clients-ca.pem\"");
  if (!clients.ca.starts_with('/'))
    listener.fail("client-ca", "expected the absolute path of a PEM file, got \"" + clients.ca + "\"");
  if (listener.has("client-names"))
    clients.names = listener.required_texts("client-names", "[\"web-1.example\"]");
  if (listener.has("client-crl")) {
    clients.crl = listener.required_text("client-crl", "\"/etc/keystay/clients-crl.pem\"");
    if (!clients.crl.starts_with('/'))
      listener.fail("client-crl", "expected the absolute path of a PEM file, got \"" + clients.crl + "\"");
  }
  clients.required = is_client_certificate_required(listener);
  return clients;
}

std::string health_path(const TableReader& listener) {
  const std::string path = listener.text("health-path").value_or("");
  const bool is_path = path.starts_with('/') && path.find_first_of(" ?#") == std::string::npos;
  if (!path.empty() && !is_path)
    listener.fail("health-path", "expected a path like \"/healthz\", got \"" + path + "\"");
  return path;
}

RequestSizes request_sizes(const TableReader& listener) {
  RequestSizes sizes;
  const auto size = [&](std::string_view key, IntegerRange range, std::size_t by_default) {
    const auto given = listener.integer(key, range);
    return given ? static_cast<std::size_t>(*given) : by_default;
  };
  sizes.head = size("max-request-head", kHeadSize, sizes.head);
  sizes.line = size("max-request-line", kHeadSize, sizes.head);
  if (sizes.line > sizes.head)
    listener.fail("max-request-line", "exceeds max-request-head, of which the request line is a part");
  sizes.fields = size("max-request-fields", kFields, sizes.fields);
  sizes.trailer = size("max-request-trailer", kTrailerSize, sizes.trailer);
  if (const auto body = listener.integer("max-request-body", kBodySize))
    sizes.body = static_cast<std::uint64_t>(*body);
  return sizes;
}

std::string error_pages(const TableReader& listener) {
  if (!listener.has("error-pages")) return {};
  std::string directory = listener.required_text("error-pages", "\"/etc/keystay/error-pages\"");
  if (!directory.starts_with('/'))
    listener.fail("error-pages", "expected the absolute path of a directory, got \"" + directory + "\"");
  return directory;
}

ListenerSettings read_listener(const TableReader& table, const TlsdSettings& settings) {
  table.allow({"name",
               "bind",
               "mode",
               "certificates",
               "backend",
               "route",
               "alpn",
               "client-ca",
               "client-names",
               "allow",
               "max-connections",
               "handshake-timeout",
               "request-head-timeout",
               "request-timeout",
               "stall-timeout",
               "min-body-rate",
               "max-request-line",
               "max-request-head",
               "max-request-fields",
               "max-request-trailer",
               "max-request-body",
               "error-pages",
               "idle-timeout",
               "deny",
               "accept-proxy",
               "max-connections-per-address",
               "handshakes-per-second-per-address",
               "starttls",
               "redirect",
               "redirect-port",
               "acme-backend",
               "http2",
               "http2-max-streams",
               "access-log",
               "access-log-format",
               "min-version",
               "max-version",
               "ciphers",
               "cipher-suites",
               "groups",
               "signature-algorithms",
               "unknown-name",
               "ocsp",
               "client-crl",
               "client-certificate",
               "health-path"});
  ListenerSettings listener;
  listener.name = table.required_text("name", "\"https\"");
  read_bind(table, listener);
  listener.mode = listener_mode(table);
  check_mode_keys(table, listener.mode);
  listener.alpn = protocols(table);
  if (listener.mode == ListenerMode::tcp) listener.idle_timeout = kTcpIdleTimeout;
  read_before_tls(table, listener);
  if (!listener.redirect) {
    listener.certificates = table.required_texts("certificates", "[\"httpd\"], aliases or key URIs");
    listener.backend = listener_backend(table, "backend", listener.mode, settings);
    for (const TableReader& route : table.tables("route")) {
      listener.routes.push_back(read_route(route, listener));
      listener.routes.back().backend = listener_backend(route, "backend", listener.mode, settings);
    }
  } else if (table.has("acme-backend")) {
    listener.backend = listener_backend(table, "acme-backend", listener.mode, settings);
  }
  listener.http2 = table.boolean("http2").value_or(listener.http2);
  listener.http2_max_streams =
      static_cast<std::size_t>(table.integer("http2-max-streams", kStreams)
                                   .value_or(static_cast<std::int64_t>(listener.http2_max_streams)));
  listener.tls = read_tls(table);
  listener.ocsp = read_ocsp(table);
  listener.clients = client_certificates(table);
  listener.health_path = health_path(table);
  listener.access_log = read_access_log(table, settings.access_log);
  listener.error_pages = error_pages(table);
  listener.request_sizes = request_sizes(table);
  listener.max_connections =
      static_cast<std::size_t>(table.integer("max-connections", kConnections)
                                   .value_or(static_cast<std::int64_t>(listener.max_connections)));
  listener.handshake_timeout =
      table.duration("handshake-timeout", kTimeout).value_or(listener.handshake_timeout);
  listener.request_head_timeout =
      table.duration("request-head-timeout", kTimeout).value_or(listener.request_head_timeout);
  listener.request_timeout = table.duration("request-timeout", kTimeout).value_or(listener.request_timeout);
  listener.stall_timeout = table.duration("stall-timeout", kTimeout).value_or(listener.stall_timeout);
  listener.min_body_rate = static_cast<std::size_t>(table.integer("min-body-rate", kBodyRate).value_or(0));
  listener.idle_timeout = table.duration("idle-timeout", kTimeout).value_or(listener.idle_timeout);
  return listener;
}

// Port 0 asks the system for a free one, so it may stand more than once.
bool taken(const Endpoint& endpoint, const TlsdSettings& settings) {
  if (endpoint.port == 0) return false;
  if (settings.admin == endpoint) return true;
  return std::ranges::any_of(settings.listeners, [&](const ListenerSettings& other) {
    return std::ranges::find(other.bind, endpoint) != other.bind.end();
  });
}

void check_unique(const TableReader& table, const ListenerSettings& listener, const TlsdSettings& settings) {
  if (std::ranges::find(settings.listeners, listener.name, &ListenerSettings::name) !=
      settings.listeners.end()) {
    table.fail("name",
               "another listener is already called \"" + listener.name + "\"; give this one its own name");
  }
  for (const std::string& path : listener.sockets) {
    if (std::ranges::any_of(settings.listeners, [&](const ListenerSettings& other) {
          return std::ranges::find(other.sockets, path) != other.sockets.end();
        })) {
      table.fail("bind", "\"unix:" + path + "\" is already taken by another listener");
    }
  }
  for (const Endpoint& bound : listener.bind) {
    if (taken(bound, settings)) {
      table.fail("bind",
                 "\"" + format_endpoint(bound) + "\" is already taken by another listener or by admin");
    }
  }
}

std::chrono::milliseconds certificate_check(const TableReader& tlsd, std::chrono::milliseconds by_default) {
  if (tlsd.is_text("certificate-check") && tlsd.text("certificate-check") == "off") return {};
  return tlsd.duration("certificate-check", DurationRange{1s, 24h}).value_or(by_default);
}

Start start(const TableReader& tlsd) {
  const std::string text = tlsd.text("start").value_or("complete");
  if (text == "complete") return Start::complete;
  if (text == "degraded") return Start::degraded;
  tlsd.fail("start", "expected \"complete\" or \"degraded\", got \"" + text + "\"");
}

}  // namespace

TlsdSettings read_tlsd(const TableReader& tlsd) {
  tlsd.allow({"threads", "user", "group", "admin", "start", "drain-timeout", "access-log",
              "access-log-format", "listener", "backend", "tickets", "certificate-check"});
  TlsdSettings settings;
  settings.threads = static_cast<std::size_t>(tlsd.integer("threads", kThreads).value_or(0));
  settings.user = tlsd.text("user").value_or("");
  settings.group = tlsd.text("group").value_or("");
  if (settings.user.empty() && !settings.group.empty()) tlsd.fail("group", "means nothing without \"user\"");
  if (const auto admin = tlsd.text("admin")) settings.admin = endpoint(tlsd, "admin", *admin);
  settings.start = start(tlsd);
  settings.tickets = read_tickets(tlsd);
  settings.certificate_check = certificate_check(tlsd, settings.certificate_check);
  settings.drain_timeout = tlsd.duration("drain-timeout", kTimeout).value_or(settings.drain_timeout);
  settings.access_log = read_access_log(tlsd, {});
  for (const auto& [name, table] : tlsd.named_tables("backend")) {
    settings.backends.emplace(name, read_backend(table));
  }
  for (const TableReader& table : tlsd.tables("listener")) {
    ListenerSettings listener = read_listener(table, settings);
    check_unique(table, listener, settings);
    settings.listeners.push_back(std::move(listener));
  }
  return settings;
}

}  // namespace keystay::config
