// The backends of a listener as one I/O thread sees them, found by the listener's routes.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tlsd/backend.h"
#include "tlsd/route_table.h"

namespace keystay::tlsd {

struct RoutedBackends {
  std::shared_ptr<Backend> fallback;               // of what no route takes; null where a redirect has none
  std::vector<std::shared_ptr<Backend>> by_route;  // as the table numbers them

  // `path` is empty where there is none.
  [[nodiscard]] Backend& find(const RouteTable& routes, std::string_view host,
                              std::string_view path) const noexcept {
    const auto route = routes.find(host, path);
    return route ? *by_route[*route] : *fallback;
  }
};

}  // namespace keystay::tlsd
