// Why a client's request has no response of a backend, and which status (RFC 9110, section 15) it gets
// instead.
#pragma once

#include <optional>
#include <string_view>

#include "tlsd/admin/metrics.h"
#include "tlsd/execution.h"
#include "tlsd/http/http.h"

namespace keystay::tlsd {

enum class Fault {
  unreachable,
  connect_timed_out,
  response_timed_out,
  request_not_taken,
  closed,
  bad_response,
  request_timed_out,
  bad_request,
  body_too_large,
  no_server,
  misdirected,
  client_gone,  // the client's connection has ended: no answer is sent
};

struct FaultAnswer {
  http::status status;
  std::string_view text;                      // of the body, and of the log
  std::optional<BackendFault> backend_fault;  // none: the client is to blame
};

[[nodiscard]] const FaultAnswer& answer_for(Fault fault) noexcept;
// Of an error of Backend::connect().
[[nodiscard]] Fault fault_of_connect(error_code error) noexcept;

}  // namespace keystay::tlsd
