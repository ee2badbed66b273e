#include "tlsd/route_table.h"

#include <algorithm>
#include <array>

namespace keystay::tlsd {
namespace {

constexpr std::string_view kWildcard = "*.";

// A host in lower case, without the dot at its end; empty if it is longer than names can be (RFC 1035,
// section 2.3.4).
class HostName final {
 public:
  explicit HostName(std::string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() > lower_.size()) return;
    std::ranges::transform(host, lower_.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    size_ = host.size();
  }

  [[nodiscard]] std::string_view text() const noexcept { return {lower_.data(), size_}; }
  // What follows its first label; empty if nothing does.
  [[nodiscard]] std::string_view parent() const noexcept {
    const auto dot = text().find('.');
    return dot == std::string_view::npos || dot == 0 ? std::string_view() : text().substr(dot + 1);
  }

 private:
  std::array<char, 255> lower_;
  std::size_t size_ = 0;
};

// In whole segments (RFC 3986, section 3.3).
bool begins_with(std::string_view path, std::string_view beginning) noexcept {
  if (!path.starts_with(beginning)) return false;
  return path.size() == beginning.size() || beginning.empty() || path[beginning.size()] == '/';
}

}  // namespace

std::string_view host_without_port(std::string_view authority) noexcept {
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

std::string_view path_of(std::string_view target) noexcept { return target.substr(0, target.find('?')); }

RouteTable::RouteTable(const std::vector<config::Route>& routes) {
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const std::string& host = routes[i].host;
    Paths& paths = host.empty()                  ? any_
                   : host.starts_with(kWildcard) ? wildcard_[host.substr(kWildcard.size())]
                                                 : exact_[host];
    const auto place = std::ranges::find_if(
        paths, [&](const Path& other) { return other.beginning.size() < routes[i].path.size(); });
    paths.insert(place, {routes[i].path, i});
  }
}

std::optional<std::size_t> RouteTable::find(const Paths& paths, std::string_view path) noexcept {
  for (const Path& candidate : paths) {
    if (begins_with(path, candidate.beginning)) return candidate.number;
  }
  return std::nullopt;
}

std::optional<std::size_t> RouteTable::find(std::string_view host, std::string_view path) const noexcept {
  const HostName name(host);
  if (const auto same = exact_.find(name.text()); same != exact_.end()) {
    if (const auto route = find(same->second, path)) return route;
  }
  if (const auto covering = wildcard_.find(name.parent()); covering != wildcard_.end()) {
    if (const auto route = find(covering->second, path)) return route;
  }
  return find(any_, path);
}

}  // namespace keystay::tlsd
