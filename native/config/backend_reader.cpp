#include "native/config/backend_reader.h"

#include <algorithm>

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr DurationRange kTimeout{1ms, 24h};
constexpr IntegerRange kChecks{1, 1000};

SendProxy send_proxy(const TableReader& backend) {
  const std::string version = backend.text("send-proxy").value_or("none");
  if (version == "none") return SendProxy::none;
  if (version == "v2") return SendProxy::v2;
  backend.fail("send-proxy", "expected \"v2\" or \"none\", got \"" + version + "\"");
}

Balance balance(const TableReader& backend) {
  const std::string text = backend.text("balance").value_or("round-robin");
  if (text == "round-robin") return Balance::round_robin;
  if (text == "least-connections") return Balance::least_connections;
  backend.fail("balance", "expected \"round-robin\" or \"least-connections\", got \"" + text + "\"");
}

// One server by an address or a name and a port, or by the path of its socket.
ServerAddress server(const TableReader& backend, const std::string& text) {
  const auto address = ServerAddress::parse(text);
  if (!address) {
    backend.fail("servers",
                 "expected an address or a name and a port like \"127.0.0.1:8080\", \"[::1]:8080\" or "
                 "\"app.example:8080\", or a socket like \"unix:/run/app.sock\" (an absolute path of at most "
                 "107 bytes), got \"" +
                     text + "\"");
  }
  if (address->port() == 0)
    backend.fail("servers", "nobody can connect to port 0; write the port of the server");
  return *address;
}

std::vector<ServerAddress> servers(const TableReader& backend) {
  std::vector<ServerAddress> result;
  for (const std::string& text : backend.required_texts("servers", "[\"127.0.0.1:8080\"]")) {
    result.push_back(server(backend, text));
    if (std::ranges::count(result, result.back()) > 1)
      backend.fail("servers", "\"" + text + "\" stands here twice");
  }
  return result;
}

// The target of a request in origin-form (RFC 9112, section 3.2.1).
std::string check_path(const TableReader& check) {
  std::string path = check.text("path").value_or("");
  const bool valid =
      !check.has("path") || (path.starts_with('/') && std::ranges::all_of(path, [](unsigned char c) {
                               return c > ' ' && c < 0x7F && c != '#';
                             }));
  if (!valid)
    check.fail("path", "expected a path like \"/healthz\"; leave it out where a connection shows enough");
  return path;
}

std::optional<HealthCheck> health_check(const TableReader& backend) {
  const auto table = backend.table("health-check");
  if (!table) return std::nullopt;
  table->allow({"path", "interval", "timeout", "rise", "fall"});
  HealthCheck check;
  check.path = check_path(*table);
  check.interval = table->duration("interval", kTimeout).value_or(check.interval);
  check.timeout = table->duration("timeout", kTimeout).value_or(std::min(check.timeout, check.interval));
  if (check.timeout > check.interval)
    table->fail("timeout", "is longer than the interval; the next check would begin before this one ends");
  const auto count = [&](std::string_view key, unsigned otherwise) {
    return static_cast<unsigned>(table->integer(key, kChecks).value_or(otherwise));
  };
  check.rise = count("rise", check.rise);
  check.fall = count("fall", check.fall);
  return check;
}

std::string file(const TableReader& table, std::string_view key) {
  if (!table.has(key)) return {};
  std::string path = table.required_text(key, "\"/etc/keystay/FILE.pem\"");
  if (!path.starts_with('/'))
    table.fail(key, "expected the absolute path of a PEM file, got \"" + path + "\"");
  return path;
}

std::optional<BackendTls> tls(const TableReader& backend, const std::vector<ServerAddress>& servers) {
  const auto table = backend.table("tls");
  if (!table) return std::nullopt;
  table->allow({"ca", "name", "certificate", "key"});
  BackendTls tls;
  tls.ca = file(*table, "ca");
  if (table->has("name")) tls.name = table->required_text("name", "\"app.example\"");
  if (table->has("certificate"))
    tls.certificate = table->required_text("certificate", "\"client\", an alias");
  tls.key = file(*table, "key");
  if (!tls.key.empty() && !tls.certificate.starts_with('/')) {
    table->fail("key", tls.certificate.empty()
                           ? "means nothing without a certificate, the PEM file that belongs to it"
                           : "belongs to a certificate in a PEM file; an alias has its key with it");
  }
  const bool has_socket =
      std::ranges::any_of(servers, [](const ServerAddress& server) { return server.socket() != nullptr; });
  if (has_socket && tls.name.empty())
    table->fail("name", "missing; a socket has no host name that the server's certificate could have");
  return tls;
}

}  // namespace

BackendSettings read_backend(const TableReader& table) {
  table.allow({"servers", "send-proxy", "balance", "health-check", "tls", "resolve-interval",
               "connect-timeout", "response-head-timeout", "response-timeout"});
  BackendSettings backend;
  backend.servers = servers(table);
  backend.send_proxy = send_proxy(table);
  backend.balance = balance(table);
  backend.health_check = health_check(table);
  backend.tls = tls(table, backend.servers);
  backend.resolve_interval = table.duration("resolve-interval", kTimeout).value_or(backend.resolve_interval);
  backend.connect_timeout = table.duration("connect-timeout", kTimeout).value_or(backend.connect_timeout);
  backend.response_head_timeout =
      table.duration("response-head-timeout", kTimeout).value_or(backend.response_head_timeout);
  backend.response_timeout = table.duration("response-timeout", kTimeout).value_or(backend.response_timeout);
  return backend;
}

}  // namespace keystay::config
