// After 101 Switching Protocols: bytes pass both ways, whatever they mean.
#pragma once

#include <chrono>

#include <boost/beast/core/flat_buffer.hpp>

#include "tlsd/backend.h"
#include "tlsd/tls_stream.h"

namespace keystay::tlsd {

// Until both sides have ended, one failed, or nothing moved for `idle_limit`. The buffers hold what either
// side sent behind its head. One side's end is passed on while the other still sends (half-close).
[[nodiscard]] awaitable<void> tunnel(TlsStream& client, boost::beast::flat_buffer& client_buffer,
                                     BackendConnection& backend, std::chrono::milliseconds idle_limit);

}  // namespace keystay::tlsd
