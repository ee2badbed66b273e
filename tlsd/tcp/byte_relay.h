// Passes bytes both ways between a client and a server, whatever they mean: a connection of mode tcp, or one
// of HTTP after 101 (Switching Protocols; RFC 9110, section 7.8).
#pragma once

#include <chrono>

#include <boost/beast/core/flat_buffer.hpp>

#include "tlsd/admin/metrics.h"
#include "tlsd/backend.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

struct RelayEnd {
  RelayOutcome outcome = RelayOutcome::complete;
  error_code error;  // of the connection that failed
};

// Until both sides have ended, one failed, or nothing moved either way for `idle_limit`. The buffers hold
// what either side sent before. The end of one side is passed on while the other still sends (half-close); so
// is a client's without close_notify, as many end theirs, and the result says so. Where a side failed, the
// server sees a reset, and the client no close_notify. A piece is read when the one before was taken: each
// way holds 64 KiB at most, and 2 KiB while little passes. Does not count the end of the relay, only its
// bytes.
[[nodiscard]] awaitable<RelayEnd> relay_bytes(TlsStream& client, boost::beast::flat_buffer& client_buffer,
                                              BackendConnection& backend,
                                              std::chrono::milliseconds idle_limit, ListenerMetrics& metrics);

}  // namespace keystay::tlsd
