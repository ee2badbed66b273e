// Opens listening sockets: one per thread on the same address (SO_REUSEPORT), so that the kernel spreads
// connections.
#pragma once

#include <string>
#include <vector>

#include "native/config/file_descriptor.h"
#include "native/config/tlsd_settings.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

// Throws std::runtime_error if another program listens there, or the address is not one of this machine: the
// message says which address and what to do.
void expect_free(const config::Endpoint& endpoint);

// One socket per context, all listening on the address. Port 0 means one that the kernel chooses. Throws as
// expect_free().
[[nodiscard]] std::vector<Acceptor> listen(const config::Endpoint& endpoint,
                                           const std::vector<asio::io_context*>& contexts);

// The same of a socket that listens already, which all of them share.
[[nodiscard]] std::vector<Acceptor> adopt(const config::FileDescriptor& socket,
                                          const std::vector<asio::io_context*>& contexts);

// Likewise on a UNIX socket of this path, which all contexts share. One that a program has left there is
// replaced, one on which a program listens is not. All may connect whom the directory lets in: its
// permissions are the guard.
void expect_free_socket(const std::string& path);
[[nodiscard]] std::vector<Acceptor> listen_on_socket(const std::string& path,
                                                     const std::vector<asio::io_context*>& contexts);

[[nodiscard]] tcp::endpoint to_tcp(const config::Endpoint& endpoint);
// An end of a TCP connection; of any other, the unspecified endpoint, which no TCP connection has.
[[nodiscard]] tcp::endpoint to_tcp(const StreamProtocol::endpoint& endpoint);
[[nodiscard]] inline bool is_unspecified(const tcp::endpoint& endpoint) {
  return endpoint == tcp::endpoint();
}
// "127.0.0.1:8443", "[::1]:8443"; "unix" for the unspecified endpoint.
[[nodiscard]] std::string to_text(const tcp::endpoint& endpoint);
// The address alone, for X-Forwarded-For; "unknown" (RFC 7239, section 6.2) for the unspecified endpoint.
[[nodiscard]] std::string address_text(const tcp::endpoint& endpoint);

}  // namespace keystay::tlsd
