// What TCP did below a test's socket.
#pragma once

#include <cstdint>

namespace keystay::test {

// Segments with data that the socket has received (tcpi_data_segs_in, RFC 4898). Throws std::system_error.
[[nodiscard]] std::uint32_t data_segments(int descriptor);

}  // namespace keystay::test
