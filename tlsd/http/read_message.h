// Reads the head of a message from a connection, lets it pass the framing gate, and has Beast parse it then.
// No message reaches a parser in another way.
#pragma once

#include <string>

#include "tlsd/execution.h"
#include "tlsd/http/framing_gate.h"
#include "tlsd/http/http.h"
#include "tlsd/http/read_head.h"

namespace keystay::tlsd {

struct MessageRead {
  enum class End {
    complete,  // the parser has the head; what follows it is in the buffer
    refused,   // what came is no message that may pass
    failed,    // the connection ended, or was interrupted
  };
  End end = End::complete;
  http::status status = http::status::ok;  // of the answer to a request that was refused
  std::string reason = {};                 // of the refusal, or the connection's error
};

// What read_head() found at the front of `buffer`, parsed.
[[nodiscard]] MessageRead parse_request(const HeadRead& head, beast::flat_buffer& buffer,
                                        RequestParser& request, const config::RequestSizes& sizes);
[[nodiscard]] MessageRead parse_response(const HeadRead& head, beast::flat_buffer& buffer,
                                         ResponseParser& response);

// RFC 9112, section 2.2: an empty line in front of a request is ignored.
void skip_empty_line(beast::flat_buffer& buffer);

// For who wants to see the bytes before parse_request() takes them.
template <typename Stream>
awaitable<HeadRead> read_request_head(Stream& stream, beast::flat_buffer& buffer,
                                      const config::RequestSizes& sizes) {
  skip_empty_line(buffer);
  const auto is_bad = [&sizes](std::string_view line) {
    return refuse_request_line(line, sizes).has_value();
  };
  co_return co_await read_head(stream, buffer, HeadLimits{sizes.head, sizes.line}, is_bad);
}

// `response` knows already whether it is one to HEAD.
template <typename Stream>
awaitable<MessageRead> read_response(Stream& stream, beast::flat_buffer& buffer, ResponseParser& response) {
  constexpr HeadLimits kLimits{kMostResponseHead, kMostResponseHead};
  const HeadRead head = co_await read_head(
      stream, buffer, kLimits, [](std::string_view line) { return refuse_status_line(line).has_value(); });
  co_return parse_response(head, buffer, response);
}

}  // namespace keystay::tlsd
