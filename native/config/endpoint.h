// A literal address and a port: "127.0.0.1:8443", "[::1]:8443".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace keystay::config {

// Addresses are literal, so that starting needs no resolver.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

// Nothing for any other text.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

// "127.0.0.1:8443", "[::1]:8443".
[[nodiscard]] std::string format_endpoint(const Endpoint& endpoint);

}  // namespace keystay::config
