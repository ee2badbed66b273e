// [tlsd] and [[tlsd.listener]] of keystay.toml as plain structs.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "native/config/endpoint.h"

namespace keystay::config {

enum class ListenerMode { http };  // a Beast reverse proxy

// [[tlsd.listener]]
struct ListenerSettings {
  std::string name;
  std::vector<Endpoint> bind;
  ListenerMode mode = ListenerMode::http;
  std::vector<std::string> certificates;  // aliases or key URIs; the first is served where no name matches
  std::string backend;
  std::size_t max_connections = 10000;
  std::chrono::milliseconds handshake_timeout{10000};  // from accept to Finished, the HSM's time included
  std::chrono::milliseconds request_timeout{30000};    // from the first byte of a request to its end
  std::chrono::milliseconds idle_timeout{60000};       // between requests
};

// [tlsd.backend.NAME]
struct BackendSettings {
  std::vector<Endpoint> servers;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds response_timeout{60000};
};

// [tlsd]
struct TlsdSettings {
  std::size_t threads = 0;  // I/O threads; 0: one per processor
  std::optional<Endpoint> admin;
  std::chrono::milliseconds drain_timeout{30000};  // after SIGTERM, before connections are cut
  std::vector<ListenerSettings> listeners;
  std::map<std::string, BackendSettings, std::less<>> backends;
};

}  // namespace keystay::config
