// How much of each part of a request keystay-tlsd takes ([[tlsd.listener]] max-request-…).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace keystay::config {

// In bytes, if nothing else is said.
struct RequestSizes {
  std::size_t line = 16 * 1024;       // the request line (RFC 9112, section 3)
  std::size_t head = 16 * 1024;       // request line and fields; of HTTP/2 as RFC 9113, section 6.5.2, counts
  std::size_t fields = 128;           // their number, and that of the fields of the trailer section
  std::size_t trailer = 16 * 1024;    // names and values of the trailer section
  std::optional<std::uint64_t> body;  // without its framing; absent: any
};

}  // namespace keystay::config
