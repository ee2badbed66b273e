// Beast's HTTP/1.1 as tlsd uses it: bodies pass through in pieces and are never held whole.
#pragma once

#include <cstddef>

#include <boost/beast/core/flat_buffer.hpp>

#include "tlsd/http/message_parser.h"

namespace keystay::tlsd {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using RequestParser = MessageParser<true>;
using ResponseParser = MessageParser<false>;
using RequestHeader = http::request_header<>;
using ResponseHeader = http::response_header<>;

inline constexpr std::size_t kMostRequestHead = 16 * 1024;   // request line and fields, of the administrator
inline constexpr std::size_t kMostResponseHead = 64 * 1024;  // status line and fields
inline constexpr std::size_t kPiece = 16 * 1024;             // of a body, read at once: one TLS record
inline constexpr std::size_t kLargestPiece = 64 * 1024;      // likewise, of a body that keeps filling pieces

// What becomes of the client's connection after a request.
enum class After {
  keep_alive,
  close,   // in order, with close_notify
  linger,  // likewise, but the client may still be sending: read on for a while, lest a reset destroys the
           // answer
  abort,   // without close_notify: the client must see that the response is incomplete
};

}  // namespace keystay::tlsd
