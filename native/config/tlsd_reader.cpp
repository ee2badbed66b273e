#include "native/config/tlsd_reader.h"

#include <algorithm>

#include "native/config/nearest.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr IntegerRange kThreads{1, 256};
constexpr IntegerRange kConnections{1, 1'000'000};
constexpr DurationRange kTimeout{1ms, 24h};
constexpr std::string_view kEndpointForm =
    "expected an address and a port like \"127.0.0.1:8443\" or \"[::1]:8443\" (names are not resolved)";

Endpoint endpoint(const TableReader& table, std::string_view key, std::string_view text) {
  auto parsed = parse_endpoint(text);
  if (!parsed) table.fail(key, std::string(kEndpointForm) + ", got \"" + std::string(text) + "\"");
  return *std::move(parsed);
}

std::vector<Endpoint> endpoints(const TableReader& table, std::string_view key, std::string_view example) {
  std::vector<Endpoint> result;
  for (const std::string& text : table.required_texts(key, example)) {
    result.push_back(endpoint(table, key, text));
    if (std::ranges::count(result, result.back()) > 1) table.fail(key, "\"" + text + "\" stands here twice");
  }
  return result;
}

ListenerMode listener_mode(const TableReader& listener) {
  const std::string mode = listener.text("mode").value_or("http");
  if (mode == "tcp") {
    listener.fail("mode", "this version does not have listeners of mode \"tcp\" yet; write mode = \"http\"");
  }
  if (mode != "http") listener.fail("mode", "expected \"http\", got \"" + mode + "\"");
  return ListenerMode::http;
}

std::string listener_backend(const TableReader& listener, const TlsdSettings& settings) {
  std::string backend = listener.required_text("backend", "\"app\", the name of a [tlsd.backend.app]");
  if (settings.backends.contains(backend)) return backend;
  std::vector<std::string_view> names;
  for (const auto& [name, _] : settings.backends) names.push_back(name);
  listener.fail("backend", "there is no section [tlsd.backend." + backend + "]" +
                               (names.empty() ? "; add it with servers = [\"127.0.0.1:8080\"]"
                                              : "; " + suggest(backend, names)));
}

ListenerSettings read_listener(const TableReader& table, const TlsdSettings& settings) {
  table.allow({"name", "bind", "mode", "certificates", "backend", "max-connections", "handshake-timeout",
               "request-head-timeout", "request-timeout", "stall-timeout", "idle-timeout"});
  ListenerSettings listener;
  listener.name = table.required_text("name", "\"https\"");
  listener.bind = endpoints(table, "bind", "[\"0.0.0.0:8443\"]");
  listener.mode = listener_mode(table);
  listener.certificates = table.required_texts("certificates", "[\"httpd\"], aliases or key URIs");
  listener.backend = listener_backend(table, settings);
  listener.max_connections =
      static_cast<std::size_t>(table.integer("max-connections", kConnections)
                                   .value_or(static_cast<std::int64_t>(listener.max_connections)));
  listener.handshake_timeout =
      table.duration("handshake-timeout", kTimeout).value_or(listener.handshake_timeout);
  listener.request_head_timeout =
      table.duration("request-head-timeout", kTimeout).value_or(listener.request_head_timeout);
  listener.request_timeout = table.duration("request-timeout", kTimeout).value_or(listener.request_timeout);
  listener.stall_timeout = table.duration("stall-timeout", kTimeout).value_or(listener.stall_timeout);
  listener.idle_timeout = table.duration("idle-timeout", kTimeout).value_or(listener.idle_timeout);
  return listener;
}

BackendSettings read_backend(const TableReader& table) {
  table.allow({"servers", "connect-timeout", "response-head-timeout", "response-timeout"});
  BackendSettings backend;
  backend.servers = endpoints(table, "servers", "[\"127.0.0.1:8080\"]");
  if (std::ranges::any_of(backend.servers, [](const Endpoint& server) { return server.port == 0; })) {
    table.fail("servers", "nobody can connect to port 0; write the port of the server");
  }
  backend.connect_timeout = table.duration("connect-timeout", kTimeout).value_or(backend.connect_timeout);
  backend.response_head_timeout =
      table.duration("response-head-timeout", kTimeout).value_or(backend.response_head_timeout);
  backend.response_timeout = table.duration("response-timeout", kTimeout).value_or(backend.response_timeout);
  return backend;
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
  for (const Endpoint& bound : listener.bind) {
    if (taken(bound, settings)) {
      table.fail("bind",
                 "\"" + format_endpoint(bound) + "\" is already taken by another listener or by admin");
    }
  }
}

}  // namespace

TlsdSettings read_tlsd(const TableReader& tlsd) {
  tlsd.allow({"threads", "admin", "drain-timeout", "listener", "backend"});
  TlsdSettings settings;
  settings.threads = static_cast<std::size_t>(tlsd.integer("threads", kThreads).value_or(0));
  if (const auto admin = tlsd.text("admin")) settings.admin = endpoint(tlsd, "admin", *admin);
  settings.drain_timeout = tlsd.duration("drain-timeout", kTimeout).value_or(settings.drain_timeout);
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
