#include "tlsd/http2/request_head.h"

#include <array>
#include <stdexcept>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace keystay::tlsd {
namespace {

using http::status;

// libnghttp2 lets none of these pass; what HTTP/1.1 is made of must not depend on that.
bool has_line_break(std::string_view text) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return text.find_first_of(kBreaks) != std::string_view::npos;
}

Refusal bad(std::string_view reason) { return {status::bad_request, reason}; }

// RFC 9110, section 8.6: servers may insist on a length where a method usually comes with a body.
bool wants_length(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// RFC 6455, section 4.1: HTTP/2 has none (RFC 8441, section 5).
std::string websocket_key() {
  std::array<unsigned char, 16> nonce{};
  std::array<unsigned char, 25> encoded{};
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1)
    throw std::runtime_error("RAND_bytes: no random numbers for Sec-WebSocket-Key");
  const int size = EVP_EncodeBlock(encoded.data(), nonce.data(), static_cast<int>(nonce.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size)};
}

}  // namespace

bool RequestHead::add(std::string_view name, std::string_view value) {
  size_ += name.size() + value.size() + kFieldOverhead;
  if (size_ > kMostDecodedFields) return false;
  if (size_ > sizes_->head) {
    too_large_ = true;
    return true;
  }
  // A colon inside of a name would end it there.
  if (has_line_break(name) || has_line_break(value) || name.find(':', 1) != std::string_view::npos)
    breaks_line_ = true;
  if (name.starts_with(':')) {
    add_pseudo(name, value);
  } else {
    add_regular(name, value);
  }
  return true;
}

// That each comes once at most, in front of the others and with a value, libnghttp2 sees to.
void RequestHead::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") method_ = value;
  if (name == ":scheme") scheme_ = value;
  if (name == ":authority") authority_ = value;
  if (name == ":path") path_ = value;
  if (name == ":protocol") protocol_ = value;
}

void RequestHead::add_regular(std::string_view name, std::string_view value) {
  if (name == "host") {
    ++hosts_;
    host_ = value;
    return;
  }
  if (name == "cookie") {
    if (!cookies_.empty()) cookies_ += "; ";
    cookies_ += value;
    return;
  }
  if (name == "content-length") has_length_ = true;
  if (name == "sec-websocket-key") return;
  lines_.append(name).append(": ").append(value).append("\r\n");
}

bool RequestHead::asks_for_websocket() const { return method_ == "CONNECT" && protocol_ == "websocket"; }

// What HTTP/1.1 does not know. The rest is for the framing gate.
std::optional<Refusal> RequestHead::check() const {
  if (too_large_)
    return Refusal{status::request_header_fields_too_large, "the head exceeds max-request-head"};
  if (breaks_line_) return bad("a field with a character that HTTP/1.1 cannot carry there");
  if (!protocol_.empty() && !asks_for_websocket())
    return Refusal{status::not_implemented, "a :protocol other than websocket"};
  if (method_ == "CONNECT" && protocol_.empty())
    return Refusal{status::method_not_allowed, "this method is refused"};
  if (asks_for_websocket() && has_length_) return bad("a Content-Length of a tunnel");
  if (scheme_ != "https") return bad("a :scheme that is not https");
  if (!path_.starts_with('/') && path_ != "*") return bad("a :path that is no path");
  if (hosts_ > 1) return bad("more than one Host field");
  if (authority_.empty() && host_.empty()) return bad("neither :authority nor Host");
  // RFC 9113, section 8.3.1
  if (!authority_.empty() && hosts_ > 0 && !beast::iequals(authority_, host_))
    return bad(":authority and Host differ");
  return std::nullopt;
}

std::string RequestHead::text(RequestBody body) const {
  std::string text;
  text.reserve(size_ + 64);
  text.append(asks_for_websocket() ? std::string_view("GET") : std::string_view(method_));
  text.append(" ").append(path_).append(" HTTP/1.1\r\n");
  text.append("host: ").append(authority_.empty() ? host_ : authority_).append("\r\n");
  text.append(lines_);
  if (!cookies_.empty()) text.append("cookie: ").append(cookies_).append("\r\n");
  if (asks_for_websocket()) {
    return text.append("connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ")
        .append(websocket_key())
        .append("\r\n\r\n");
  }
  if (!has_length_ && body == RequestBody::expected) text.append("transfer-encoding: chunked\r\n");
  if (!has_length_ && body == RequestBody::none && wants_length(method_))
    text.append("content-length: 0\r\n");
  return text.append("\r\n");
}

std::optional<Refusal> RequestHead::parse(RequestParser& request, RequestBody body) {
  if (auto refusal = check()) return refusal;
  const std::string head = text(body);
  if (auto refusal = refuse_request(head, *sizes_)) return refusal;
  request.header_limit(kMostDecodedFields);
  request.limit(*sizes_);
  beast::error_code error;
  request.put(boost::asio::buffer(head), error);
  if (error == http::error::body_limit)
    return Refusal{status::payload_too_large, "the body exceeds max-request-body"};
  if (error || !request.is_header_done()) return bad("a head that cannot be read as one of HTTP/1.1");
  request.get().version(20);
  return std::nullopt;
}

}  // namespace keystay::tlsd
