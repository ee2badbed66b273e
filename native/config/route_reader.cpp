#include "native/config/route_reader.h"

#include <algorithm>

#include "native/config/remote_settings.h"

namespace keystay::config {
namespace {

constexpr std::string_view kWildcard = "*.";

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string host(const TableReader& table) {
  if (!table.has("host")) return {};
  std::string host = lower_case(table.required_text("host", "\"a.example\""));
  std::string_view name = host;
  if (name.starts_with(kWildcard)) name.remove_prefix(kWildcard.size());
  if (!is_host_name(name) || name.ends_with('.')) {
    table.fail("host",
               "expected a name like \"a.example\", or \"*.example\" for those with one label more, "
               "without a port, got \"" +
                   host + "\"");
  }
  return host;
}

// RFC 3986, section 3.3: what a target can begin with.
std::string path(const TableReader& table) {
  if (!table.has("path")) return {};
  std::string path = table.required_text("path", "\"/api\"");
  const bool valid = path.front() == '/' && std::ranges::all_of(path, [](unsigned char c) {
                       return c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '"' && c != '<' && c != '>';
                     });
  if (!valid) table.fail("path", "expected the beginning of a path like \"/api\", got \"" + path + "\"");
  while (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Route read_route(const TableReader& table, const ListenerSettings& listener) {
  table.allow({"host", "path", "backend"});
  if (listener.mode == ListenerMode::tcp && table.has("path"))
    table.fail("path",
               "a listener of mode \"tcp\" knows no paths; its routes go by host, the server name of TLS");
  Route route{host(table), path(table), {}};
  if (route.host.empty() && route.path.empty())
    table.fail("", "takes everything; give it a host or a path, or leave it to the backend of the listener");
  const bool taken = std::ranges::any_of(listener.routes, [&](const Route& other) {
    return other.host == route.host && other.path == route.path;
  });
  if (taken) table.fail("", "another route has the same host and path");
  return route;
}

}  // namespace keystay::config
