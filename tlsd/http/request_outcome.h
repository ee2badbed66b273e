// What became of a request, for its line in the access log.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tlsd/admin/metrics.h"
#include "tlsd/backend.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

struct RequestOutcome {
  unsigned status = 0;           // of the response whose head, or a part of it, went to the client; 0: none
  std::uint64_t body_bytes = 0;  // of that response, without its framing
  std::optional<Clock::time_point> first_byte = {};  // when its head was there
  RelayOutcome end = RelayOutcome::complete;
  BackendConnectionPtr server = nullptr;  // the last one that was asked
  std::string_view backend = {};          // to which it belongs
};

}  // namespace keystay::tlsd
