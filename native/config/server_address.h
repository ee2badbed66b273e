// Where a server behind tlsd listens: an address and a port, or a UNIX socket (unix(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "native/config/endpoint.h"

namespace keystay::config {

class ServerAddress final {
 public:
  ServerAddress(std::string address, std::uint16_t port) : place_(Endpoint{std::move(address), port}) {}
  ServerAddress(Endpoint endpoint) : place_(std::move(endpoint)) {}

  // "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock". Nothing for any other text.
  [[nodiscard]] static std::optional<ServerAddress> parse(std::string_view text);

  // Null where it is a socket.
  [[nodiscard]] const Endpoint* endpoint() const noexcept { return std::get_if<Endpoint>(&place_); }
  // The path of the socket; null where it is an address.
  [[nodiscard]] const std::string* socket() const noexcept { return std::get_if<std::string>(&place_); }

  // As parse() reads it.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;

 private:
  explicit ServerAddress(std::string socket) : place_(std::move(socket)) {}

  std::variant<Endpoint, std::string> place_;
};

}  // namespace keystay::config
