// The header of the PROXY protocol, version 2 (haproxy.org, doc/proxy-protocol.txt, section 2.2), by which a
// server behind a proxy learns who the client is.
#pragma once

#include <string>
#include <string_view>

#include "tlsd/execution.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// The command PROXY, with the TLVs PP2_TYPE_SSL, PP2_TYPE_ALPN and PP2_TYPE_AUTHORITY, for a TCP connection
// from `client` to `server`; both of the same family, as the ends of one connection are.
[[nodiscard]] std::string proxy_header(const tcp::endpoint& client, const tcp::endpoint& server,
                                       const AgreedTls& tls);

}  // namespace keystay::tlsd
