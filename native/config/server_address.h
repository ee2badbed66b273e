// Where a server behind tlsd listens: an address and a port, a host name and a port, or a UNIX socket
// (unix(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "native/config/endpoint.h"

namespace keystay::config {

// A name that a resolver knows, with one address or several.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

class ServerAddress final {
 public:
  ServerAddress(std::string address, std::uint16_t port) : place_(Endpoint{std::move(address), port}) {}
  ServerAddress(Endpoint endpoint) : place_(std::move(endpoint)) {}

  // "127.0.0.1:8080", "[::1]:8080", "app.example:8080", "unix:/run/app.sock". Nothing for any other text.
  [[nodiscard]] static std::optional<ServerAddress> parse(std::string_view text);

  // Null where it is a socket or a name.
  [[nodiscard]] const Endpoint* endpoint() const noexcept { return std::get_if<Endpoint>(&place_); }
  // Null where it is an address or a socket.
  [[nodiscard]] const HostPort* name() const noexcept { return std::get_if<HostPort>(&place_); }
  // The path of the socket; null where it is none.
  [[nodiscard]] const std::string* socket() const noexcept { return std::get_if<std::string>(&place_); }
  // Of an address or a name; 1 where it is a socket.
  [[nodiscard]] std::uint16_t port() const noexcept;

  // As parse() reads it.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;

 private:
  explicit ServerAddress(std::string socket) : place_(std::move(socket)) {}
  explicit ServerAddress(HostPort name) : place_(std::move(name)) {}

  std::variant<Endpoint, HostPort, std::string> place_;
};

}  // namespace keystay::config
