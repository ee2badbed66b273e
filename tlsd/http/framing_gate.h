// Decides by the bytes of a head whether both sides of the proxy must see the same message in it. It stands
// in front of Beast because the releases that distributions carry (Boost 1.81: Beast 345) accept framings
// that RFC 9112 forbids and that smuggle requests past a proxy.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <boost/beast/http/status.hpp>

#include "native/config/request_sizes.h"

namespace keystay::tlsd {

inline constexpr std::size_t kMostFields = 128;  // of the head of a response, and of its trailer section

struct Refusal {
  boost::beast::http::status status;
  std::string_view reason;  // a literal
};

// `head` is a request line and fields, up to and with the empty line. Nothing if the request may pass.
[[nodiscard]] std::optional<Refusal> refuse_request(std::string_view head,
                                                    const config::RequestSizes& sizes = {});

// Likewise for the request line alone, without its end: what is wrong in it need not wait for the fields.
[[nodiscard]] std::optional<Refusal> refuse_request_line(std::string_view line,
                                                         const config::RequestSizes& sizes = {});

// Likewise for a status line and fields. The reason why the response must not pass.
[[nodiscard]] std::optional<std::string_view> refuse_response(std::string_view head);
[[nodiscard]] std::optional<std::string_view> refuse_status_line(std::string_view line);

// Of a head that may pass: where it claims a minor version of HTTP/1 above 1, it claims 1 from here on, as
// RFC 9110, section 2.5, wants it read. Beast reads no other.
void lower_version_of_request(std::span<char> head) noexcept;
void lower_version_of_response(std::span<char> head) noexcept;

}  // namespace keystay::tlsd
