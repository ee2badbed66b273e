#include "native/config/server_address.h"

#include <algorithm>

#include <sys/un.h>

namespace keystay::config {
namespace {

constexpr std::string_view kSocketScheme = "unix:";

bool is_socket_path(std::string_view path) {
  return path.starts_with('/') && path.size() < sizeof(sockaddr_un::sun_path) &&
         path.find('\0') == std::string_view::npos;
}

// RFC 1123, section 2.1, and underscores, which names of containers have. What consists of digits and dots
// would be an address.
bool is_host(std::string_view host) {
  constexpr std::size_t kLongestName = 253;
  constexpr std::size_t kLongestLabel = 63;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kLongestName) return false;
  std::string_view last;
  while (!host.empty()) {
    last = host.substr(0, host.find('.'));
    const bool is_label = !last.empty() && last.size() <= kLongestLabel && last.front() != '-' &&
                          last.back() != '-' && std::ranges::all_of(last, [](unsigned char c) {
                            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                   (c >= '0' && c <= '9') || c == '-' || c == '_';
                          });
    if (!is_label || last.size() + 1 == host.size()) return false;
    host.remove_prefix(std::min(host.size(), last.size() + 1));
  }
  return !std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<ServerAddress> ServerAddress::parse(std::string_view text) {
  if (text.starts_with(kSocketScheme)) {
    const std::string_view path = text.substr(kSocketScheme.size());
    return is_socket_path(path) ? std::optional(ServerAddress(std::string(path))) : std::nullopt;
  }
  if (auto endpoint = parse_endpoint(text)) return *std::move(endpoint);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return std::nullopt;
  // The port, by the reader of literal endpoints.
  const auto port = parse_endpoint("0.0.0.0" + std::string(text.substr(colon)));
  if (!port) return std::nullopt;
  return ServerAddress(HostPort{std::string(text.substr(0, colon)), port->port});
}

std::uint16_t ServerAddress::port() const noexcept {
  if (const Endpoint* literal = endpoint()) return literal->port;
  const HostPort* host = name();
  return host != nullptr ? host->port : 1;
}

std::string ServerAddress::text() const {
  if (const std::string* path = socket()) return std::string(kSocketScheme) + *path;
  if (const HostPort* host = name()) return host->host + ":" + std::to_string(host->port);
  return format_endpoint(*endpoint());
}

}  // namespace keystay::config
