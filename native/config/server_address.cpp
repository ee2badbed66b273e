#include "native/config/server_address.h"

#include <sys/un.h>

namespace keystay::config {
namespace {

constexpr std::string_view kSocketScheme = "unix:";

bool is_socket_path(std::string_view path) {
  return path.starts_with('/') && path.size() < sizeof(sockaddr_un::sun_path) &&
         path.find('\0') == std::string_view::npos;
}

}  // namespace

std::optional<ServerAddress> ServerAddress::parse(std::string_view text) {
  if (text.starts_with(kSocketScheme)) {
    const std::string_view path = text.substr(kSocketScheme.size());
    return is_socket_path(path) ? std::optional(ServerAddress(std::string(path))) : std::nullopt;
  }
  auto endpoint = parse_endpoint(text);
  return endpoint ? std::optional<ServerAddress>(*std::move(endpoint)) : std::nullopt;
}

std::string ServerAddress::text() const {
  if (const std::string* path = socket()) return std::string(kSocketScheme) + *path;
  return format_endpoint(*endpoint());
}

}  // namespace keystay::config
