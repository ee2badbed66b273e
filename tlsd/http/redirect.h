// Where a listener in clear sends the clients of HTTP: to the same place by https.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tlsd/http/http.h"

namespace keystay::tlsd {

// The value of Location (RFC 9110, section 10.2.2) for a request that prepare_request() has brought into
// origin-form; `port` is that of https. Nothing where there is no place: no Host, one that is no plain name
// or address, or a target that is no path.
[[nodiscard]] std::optional<std::string> redirect_location(const RequestHeader& request, std::uint16_t port);

// 301 for GET and HEAD, as everybody does it; 308 for the others, since a client may turn them into GET after
// a 301 (RFC 9110, section 15.4.2).
[[nodiscard]] http::status redirect_status(http::verb method) noexcept;

// A request for the key authorization of an ACME challenge (RFC 8555, section 8.3): GET or HEAD, a token
// behind the well-known path, and nothing else.
[[nodiscard]] bool is_acme_challenge(const RequestHeader& request) noexcept;

}  // namespace keystay::tlsd
