#include "native/config/remote_settings.h"

#include <algorithm>

#include "native/config/endpoint.h"
#include "native/config/server_address.h"

namespace keystay::config {
namespace {

bool is_literal(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

std::optional<RemoteEndpoint> parse_remote_endpoint(std::string_view text) {
  if (const auto address = ServerAddress::parse(text); address && address->socket() != nullptr)
    return RemoteEndpoint{{}, 0, *address->socket()};
  if (const auto literal = parse_endpoint(text)) {
    if (literal->port == 0) return std::nullopt;
    return RemoteEndpoint{literal->address, literal->port};
  }
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || !is_host_name(text.substr(0, colon)) || is_literal(text.substr(0, colon)))
    return std::nullopt;
  // The port, by the reader of literal endpoints.
  const auto port = parse_endpoint("127.0.0.1" + std::string(text.substr(colon)));
  if (!port || port->port == 0) return std::nullopt;
  return RemoteEndpoint{std::string(text.substr(0, colon)), port->port};
}

std::string format_remote_endpoint(const RemoteEndpoint& endpoint) {
  if (!endpoint.socket.empty()) return "unix:" + endpoint.socket;
  return format_endpoint({endpoint.host, endpoint.port});
}

std::filesystem::path default_relay() { return KEYSTAY_RELAY; }

}  // namespace keystay::config
