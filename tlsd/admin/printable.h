// Text of a peer for a line of the log.
#pragma once

#include <string>
#include <string_view>

namespace keystay::tlsd {

// Without control characters, which could forge lines, and 100 bytes at most.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace keystay::tlsd
