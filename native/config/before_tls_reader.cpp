#include "native/config/before_tls_reader.h"

#include <algorithm>

#include "native/config/server_address.h"

namespace keystay::config {
namespace {

constexpr IntegerRange kPort{1, 65535};
constexpr IntegerRange kPerAddress{1, 1'000'000};
constexpr std::string_view kSockets = "unix";

AddressRange range(const TableReader& table, std::string_view key, const std::string& text) {
  const auto parsed = AddressRange::parse(text);
  if (parsed) return *parsed;
  table.fail(key,
             "expected addresses like \"192.0.2.7\" or ranges like \"192.0.2.0/24\" or \"2001:db8::/32\", "
             "without bits behind the prefix, got \"" +
                 text + "\"");
}

std::vector<AddressRange> ranges(const TableReader& table, std::string_view key) {
  std::vector<AddressRange> result;
  if (!table.has(key)) return result;
  for (const std::string& text : table.required_texts(key, "[\"192.0.2.0/24\"]"))
    result.push_back(range(table, key, text));
  return result;
}

AcceptProxy accept_proxy(const TableReader& table, const ListenerSettings& listener) {
  AcceptProxy result;
  if (!table.has("accept-proxy")) return result;
  for (const std::string& text : table.required_texts("accept-proxy", "[\"10.0.0.0/8\"]")) {
    if (text == kSockets) {
      result.sockets = true;
    } else {
      result.networks.push_back(range(table, "accept-proxy", text));
    }
  }
  if (result.sockets && listener.sockets.empty())
    table.fail("accept-proxy", "\"unix\" means who connects to a UNIX socket, and there is none in bind");
  return result;
}

StartTls starttls(const TableReader& table, ListenerMode mode) {
  const auto text = table.text("starttls");
  if (!text) return StartTls::none;
  if (mode != ListenerMode::tcp)
    table.fail("starttls", "a listener of mode \"http\" has no such protocol; write mode = \"tcp\"");
  if (*text == "smtp") return StartTls::smtp;
  if (*text == "imap") return StartTls::imap;
  if (*text == "pop3") return StartTls::pop3;
  if (*text == "ldap") return StartTls::ldap;
  if (*text == "postgres" || *text == "postgresql") return StartTls::postgresql;
  table.fail("starttls",
             "expected \"smtp\", \"imap\", \"pop3\", \"ldap\" or \"postgres\", got \"" + *text + "\"");
}

std::optional<Redirect> redirect(const TableReader& table) {
  const auto scheme = table.text("redirect");
  if (!scheme) {
    for (const std::string_view key : {"redirect-port", "acme-backend"})
      if (table.has(key)) table.fail(key, "means nothing without redirect = \"https\"");
    return std::nullopt;
  }
  if (*scheme != "https") table.fail("redirect", "expected \"https\", got \"" + *scheme + "\"");
  Redirect result;
  if (const auto port = table.integer("redirect-port", kPort))
    result.port = static_cast<std::uint16_t>(*port);
  return result;
}

std::size_t per_address(const TableReader& table, std::string_view key) {
  return static_cast<std::size_t>(table.integer(key, kPerAddress).value_or(0));
}

}  // namespace

void read_bind(const TableReader& table, ListenerSettings& listener) {
  for (const std::string& text : table.required_texts("bind", "[\"0.0.0.0:8443\"]")) {
    const auto address = ServerAddress::parse(text);
    if (!address || address->name() != nullptr) {
      table.fail(
          "bind",
          "expected an address and a port like \"127.0.0.1:8443\" or \"[::1]:8443\" (names are not "
          "resolved), or a socket like \"unix:/run/keystay/tls.sock\" (an absolute path of at most 107 "
          "bytes), got \"" +
              text + "\"");
    }
    const bool again = address->socket() != nullptr
                           ? std::ranges::count(listener.sockets, *address->socket()) > 0
                           : std::ranges::count(listener.bind, *address->endpoint()) > 0;
    if (again) table.fail("bind", "\"" + text + "\" stands here twice");
    if (address->socket() != nullptr) {
      listener.sockets.push_back(*address->socket());
    } else {
      listener.bind.push_back(*address->endpoint());
    }
  }
}

void read_before_tls(const TableReader& table, ListenerSettings& listener) {
  listener.allow = ranges(table, "allow");
  listener.deny = ranges(table, "deny");
  listener.accept_proxy = accept_proxy(table, listener);
  listener.max_connections_per_address = per_address(table, "max-connections-per-address");
  listener.handshakes_per_second_per_address = per_address(table, "handshakes-per-second-per-address");
  listener.starttls = starttls(table, listener.mode);
  listener.redirect = redirect(table);
  if (listener.redirect) check_redirect_keys(table);
}

void check_redirect_keys(const TableReader& table) {
  if (table.text("mode") == "tcp")
    table.fail("redirect", "is of HTTP, and means nothing on a listener of mode \"tcp\"");
  for (const std::string_view key : {"certificates", "client-ca", "client-names", "request-timeout",
                                     "stall-timeout", "min-body-rate", "idle-timeout"}) {
    if (table.has(key))
      table.fail(key, "a listener with redirect speaks no TLS and serves one request; remove the key");
  }
  for (const std::string_view key : {"backend", "route"}) {
    if (table.has(key))
      table.fail(key, "a listener with redirect passes on the challenges of ACME alone; write acme-backend");
  }
}

}  // namespace keystay::config
