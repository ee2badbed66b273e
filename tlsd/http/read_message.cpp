#include "tlsd/http/read_message.h"

namespace keystay::tlsd {
namespace {

MessageRead refused(http::status status, std::string_view reason) {
  return {MessageRead::End::refused, status, std::string(reason)};
}

// Beast wants the space in front of a reason phrase (RFC 9112, section 4) even where there is no phrase; some
// servers leave it out, and clients and other proxies do not mind.
void complete_status_line(beast::flat_buffer& buffer, ResponseParser& response) {
  constexpr std::size_t kWithoutReason = 12;  // "HTTP/1.1 200"
  const std::string_view head = text(buffer);
  if (head.find("\r\n") != kWithoutReason) return;
  const std::string line = std::string(head.substr(0, kWithoutReason)) + " \r\n";
  error_code wants_more;
  response.put(asio::buffer(line), wants_more);
  buffer.consume(kWithoutReason + 2);
}

template <typename Parser>
MessageRead parse(beast::flat_buffer& buffer, Parser& parser) {
  error_code error;
  buffer.consume(parser.put(buffer.data(), error));
  if (error == http::error::body_limit)
    return refused(http::status::payload_too_large, "the body exceeds max-request-body");
  if (error || !parser.is_header_done()) return refused(http::status::bad_request, error.message());
  return {};
}

// A head that is none for a reason that request and response share; complete otherwise.
MessageRead not_read(const HeadRead& head, std::string_view too_large) {
  switch (head.end) {
    case HeadRead::End::failed:
      return {MessageRead::End::failed, {}, head.error.message()};
    case HeadRead::End::too_large:
      return refused(http::status::request_header_fields_too_large, too_large);
    case HeadRead::End::line_too_large:
      return refused(http::status::uri_too_long, "the request line exceeds max-request-line");
    case HeadRead::End::bare_line_end:
      return refused(http::status::bad_request, "a line that does not end in CR LF");
    case HeadRead::End::bad_first_line:
    case HeadRead::End::complete:
      break;
  }
  return {};
}

}  // namespace

void skip_empty_line(beast::flat_buffer& buffer) {
  if (text(buffer).starts_with("\r\n")) buffer.consume(2);
}

MessageRead parse_request(const HeadRead& head, beast::flat_buffer& buffer, RequestParser& request,
                          const config::RequestSizes& sizes) {
  if (auto read = not_read(head, "the head exceeds max-request-head"); read.end != MessageRead::End::complete)
    return read;
  const std::string_view bytes = text(buffer).substr(0, head.size);
  const auto refusal = head.end == HeadRead::End::bad_first_line ? refuse_request_line(bytes, sizes)
                                                                 : refuse_request(bytes, sizes);
  if (refusal) return refused(refusal->status, refusal->reason);
  lower_version_of_request(characters(buffer));
  request.header_limit(static_cast<std::uint32_t>(sizes.head));
  request.limit(sizes);
  return parse(buffer, request);
}

MessageRead parse_response(const HeadRead& head, beast::flat_buffer& buffer, ResponseParser& response) {
  if (auto read = not_read(head, "the head exceeds 64 KiB"); read.end != MessageRead::End::complete)
    return read;
  const std::string_view bytes = text(buffer).substr(0, head.size);
  const auto reason =
      head.end == HeadRead::End::bad_first_line ? refuse_status_line(bytes) : refuse_response(bytes);
  if (reason) return refused(http::status::bad_gateway, *reason);
  lower_version_of_response(characters(buffer));
  response.header_limit(kMostResponseHead);
  response.body_limit(boost::none);  // it passes through
  complete_status_line(buffer, response);
  return parse(buffer, response);
}

}  // namespace keystay::tlsd
