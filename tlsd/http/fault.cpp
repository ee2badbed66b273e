#include "tlsd/http/fault.h"

#include <array>

namespace keystay::tlsd {

const FaultAnswer& answer_for(Fault fault) noexcept {
  static constexpr std::array<FaultAnswer, 9> kAnswers{{
      {http::status::bad_gateway, "the server behind this one cannot be reached", BackendFault::unreachable},
      {http::status::gateway_timeout, "the server behind this one cannot be reached in time",
       BackendFault::timed_out},
      {http::status::gateway_timeout, "the server behind this one did not answer in time",
       BackendFault::timed_out},
      {http::status::gateway_timeout, "the server behind this one did not take the request in time",
       BackendFault::timed_out},
      {http::status::bad_gateway, "the server behind this one closed the connection", BackendFault::closed},
      {http::status::bad_gateway, "the server behind this one sent a bad response",
       BackendFault::bad_response},
      {http::status::request_timeout, "the request did not arrive in time", std::nullopt},
      {http::status::bad_request,
       "the body of the request is not properly chunked, or its extensions or trailer fields are too many",
       std::nullopt},
      {http::status::bad_request, "", std::nullopt},
  }};
  return kAnswers.at(static_cast<std::size_t>(fault));
}

}  // namespace keystay::tlsd
