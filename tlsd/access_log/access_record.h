// What a line of the access log says: of a request of HTTP, or of a connection of mode tcp. Refers to what
// its maker holds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tlsd/admin/metrics.h"
#include "tlsd/execution.h"
#include "tlsd/tls/client_identity.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

// Where a client left before its response began: nginx's number for it, which no client ever gets.
inline constexpr unsigned kClientClosedRequest = 499;

struct AccessRecord {
  enum class Kind { request, connection };

  Kind kind = Kind::request;
  std::chrono::system_clock::time_point begin;     // first byte of the request; end of the handshake
  Clock::duration duration{};                      // to the last byte of the response; of the connection
  std::optional<Clock::duration> first_byte = {};  // from the begin to the head of the response
  const tcp::endpoint& client;
  std::string_view request_line = {};  // as the client sent it
  std::string_view host = {};
  std::string_view referer = {};
  std::string_view user_agent = {};
  unsigned status = 0;
  std::uint64_t bytes_in = 0;    // inside TLS
  std::uint64_t bytes_out = 0;   // likewise, heads and framing included
  std::uint64_t body_bytes = 0;  // of the response without its framing
  std::string_view backend = {};
  std::string_view server = {};  // empty: none was asked
  RelayOutcome end = RelayOutcome::complete;
  AgreedTls tls;
  const ClientIdentity* identity = nullptr;  // null: the client showed no certificate
};

}  // namespace keystay::tlsd
