// A token on another machine, as [token.NAME] describes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::config {

// Where a keystay-tlsd, or another TLS endpoint, carries the socket of `p11-kit server`; or such a socket on
// this machine.
struct RemoteEndpoint {
  std::string host;  // a name, or a literal address; empty for a socket
  std::uint16_t port = 0;
  std::string socket = {};  // its path

  bool operator==(const RemoteEndpoint&) const = default;
};

// RFC 1123, section 2.1; with underscores too, as many names inside of networks have them.
[[nodiscard]] bool is_host_name(std::string_view name);

// "hsm.example:4442", "192.0.2.7:4442", "[2001:db8::7]:4442", "unix:/run/p11-kit.sock". Nothing for any other
// text.
[[nodiscard]] std::optional<RemoteEndpoint> parse_remote_endpoint(std::string_view text);
[[nodiscard]] std::string format_remote_endpoint(const RemoteEndpoint& endpoint);

// Connections that a process can have, to all its tokens together.
inline constexpr std::size_t kMostLanes = 64;

struct RemoteSettings {
  std::vector<RemoteEndpoint> endpoints;  // of the same token, tried in this order
  std::filesystem::path ca;               // PEM: the authorities of the endpoints' certificates
  std::filesystem::path certificate;      // PEM: our own, and its issuers
  std::filesystem::path key;              // PEM: its private key
  std::filesystem::path pkcs12;           // RFC 7292: both in one file, instead of the two above
  std::string pkcs12_password;            // where it comes from, as TokenSettings::pin; empty: it has none
  std::string host;                       // to be in the endpoint's certificate; empty: the endpoint's own
  std::size_t lanes = 4;                  // connections, each with one call at a time
  std::chrono::milliseconds connect_timeout{2000};   // for each endpoint
  std::chrono::milliseconds response_timeout{2500};  // of one call
  std::filesystem::path relay;                       // keystay-relay

  // Of this machine: all endpoints are sockets, and there is no TLS.
  [[nodiscard]] bool is_local() const noexcept {
    return !endpoints.empty() && !endpoints.front().socket.empty();
  }

  bool operator==(const RemoteSettings&) const = default;
};

// Where keystay-relay was installed.
[[nodiscard]] std::filesystem::path default_relay();

}  // namespace keystay::config
