// Reads the header of the PROXY protocol, version 1 or 2 (haproxy.org, doc/proxy-protocol.txt), by which a
// proxy in front says who the client is. tlsd/tcp/proxy_protocol.h writes one.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// The two ends of a client's connection to a proxy.
struct ProxiedConnection {
  tcp::endpoint client;
  tcp::endpoint server;  // that the client connected to
};

struct ProxyHeader {
  enum class State {
    incomplete,  // all bytes so far belong to it, and more must come
    complete,
    bad,  // no such header
  };
  State state = State::incomplete;
  std::size_t size = 0;  // of a complete one
  std::optional<ProxiedConnection> connection =
      {};                        // none: LOCAL, UNKNOWN or no TCP: the proxy speaks for itself
  std::string_view reason = {};  // of a bad one; a literal
};

// Version 2 may have TLVs; a header of any version ends before this.
inline constexpr std::size_t kMostProxyHeader = 536;

// The header at the front of `bytes`, in the strictest reading of section 2: a checksum (PP2_TYPE_CRC32C)
// must be right where there is one, and other TLVs must be whole.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace keystay::tlsd
