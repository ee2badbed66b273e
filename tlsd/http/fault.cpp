#include "tlsd/http/fault.h"

#include <array>

#include "tlsd/backend.h"

namespace keystay::tlsd {

const FaultAnswer& answer_for(Fault fault) noexcept {
  static constexpr std::array<FaultAnswer, 12> kAnswers{{
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
      {http::status::payload_too_large, "the body of the request exceeds max-request-body", std::nullopt},
      {http::status::service_unavailable, "no server behind this one is in service", BackendFault::no_server},
      {http::status::misdirected_request,
       "the certificate of this connection is not for the host of the request", std::nullopt},
      {http::status::bad_request, "", std::nullopt},
  }};
  return kAnswers.at(static_cast<std::size_t>(fault));
}

Fault fault_of_connect(error_code error) noexcept {
  switch (connect_fault(error)) {
    case BackendFault::no_server:
      return Fault::no_server;
    case BackendFault::timed_out:
      return Fault::connect_timed_out;
    default:
      return Fault::unreachable;
  }
}

}  // namespace keystay::tlsd
