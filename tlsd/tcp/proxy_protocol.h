// The header of the PROXY protocol, version 2 (haproxy.org, doc/proxy-protocol.txt, section 2.2), by which a
// server behind a proxy learns who the client is.
#pragma once

#include <string>
#include <string_view>

#include "tlsd/execution.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

inline constexpr std::string_view kProxySignature("\r\n\r\n\0\r\nQUIT\n", 12);

// The command PROXY, with the TLVs PP2_TYPE_SSL, PP2_TYPE_ALPN and PP2_TYPE_AUTHORITY, for a TCP connection
// from `client` to `server`; both of the same family, as the ends of one connection are. Where they are
// unspecified, as on a UNIX socket, the header has no addresses.
[[nodiscard]] std::string proxy_header(const tcp::endpoint& client, const tcp::endpoint& server,
                                       const AgreedTls& tls);
// Of a connection that has no TLS.
[[nodiscard]] std::string proxy_header_in_clear(const tcp::endpoint& client, const tcp::endpoint& server);

}  // namespace keystay::tlsd
