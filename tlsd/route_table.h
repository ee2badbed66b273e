// The routes of a listener ([[tlsd.listener.route]]): which one takes a request of HTTP, or a connection.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/tlsd_settings.h"

namespace keystay::tlsd {

// "a.example" of "a.example:443", "::1" of "[::1]:443": the host of a Host field (RFC 9110, section 7.2).
[[nodiscard]] std::string_view host_without_port(std::string_view authority) noexcept;
// Of a target in origin-form (RFC 9112, section 3.2.1): what is before the query.
[[nodiscard]] std::string_view path_of(std::string_view target) noexcept;

// Immutable.
class RouteTable final {
 public:
  explicit RouteTable(const std::vector<config::Route>& routes);

  // Whether a request's host decides on anything.
  [[nodiscard]] bool has_hosts() const noexcept { return !exact_.empty() || !wildcard_.empty(); }
  // The number of the route in the configuration. Routes of this very host come first, then those of a
  // wildcard, then those of any host; among them that with the longest path. Hosts are the same in any case,
  // and with a dot at the end; paths are compared as they are written. Nothing if no route fits.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view host, std::string_view path) const noexcept;

 private:
  struct Path {
    std::string beginning;
    std::size_t number;
  };
  using Paths = std::vector<Path>;  // the longest first
  using Hosts = std::map<std::string, Paths, std::less<>>;

  [[nodiscard]] static std::optional<std::size_t> find(const Paths& paths, std::string_view path) noexcept;

  Hosts exact_;
  Hosts wildcard_;  // by what follows "*."
  Paths any_;
};

}  // namespace keystay::tlsd
