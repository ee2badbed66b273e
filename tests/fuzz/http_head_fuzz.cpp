// Heads of HTTP/1.1 requests and responses: what the framing gate lets pass, Beast must read as the same
// message, and what the backend or the client then gets must be a head that the gate lets pass again.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/law.h"
#include "tlsd/http/fields.h"
#include "tlsd/http/framing_gate.h"
#include "tlsd/http/http.h"
#include "tlsd/http/read_head.h"

namespace keystay::test {
namespace {

using namespace keystay::tlsd;

// The fields of a message that was read, one a line.
template <typename Header>
std::string lines_of(const Header& header) {
  std::string lines;
  for (const auto& field : header) {
    lines.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
  }
  return lines + "\r\n";
}

// Whether Beast reads a message in it, and then all of it as the head.
template <typename Parser>
bool is_read(Parser& parser, std::string_view head) {
  boost::system::error_code error;
  const std::size_t taken = parser.put(boost::asio::buffer(head), error);
  if (error && error != http::error::need_more) return false;
  if (!parser.is_header_done()) return false;
  require(taken == head.size(), "the head ends for Beast where it ends for the gate");
  const auto& message = parser.get();
  require(message.count(http::field::content_length) + message.count(http::field::transfer_encoding) <= 1,
          "a message has one length");
  return true;
}

void read_request(std::string_view head) {
  const auto refusal = refuse_request(head);
  const auto line = refuse_request_line(head.substr(0, head.find("\r\n")));
  require(!line || refusal, "a request with a bad first line is refused");
  if (refusal) return;
  RequestParser parser;
  parser.header_limit(kMostRequestHead);
  parser.body_limit(boost::none);
  if (!is_read(parser, head)) return;
  require(parser.get().count(http::field::host) <= 1, "a request is for one host");
  const bool had_host = parser.get().count(http::field::host) == 1;
  const bool chunked = parser.chunked();
  const auto length = parser.content_length();
  require(!length || *length == parser.content_length_remaining().value_or(0),
          "nothing of a body is read yet");
  prepare_request(parser.get(), "192.0.2.1");
  auto& request = parser.get();
  require(request.chunked() == chunked, "a gateway leaves the framing alone");
  require(request.target().starts_with('/') || request.target() == "*", "backends get the origin-form");
  require(request.count("X-Forwarded-For") == 1 && request.count("Forwarded") == 0,
          "the client is told by us alone");
  if (!had_host && request.count(http::field::host) == 0) request.set(http::field::host, "a");
  const std::string passed = std::string(request.method_string()) + " " + std::string(request.target()) +
                             " HTTP/1.1\r\n" + lines_of(request);
  if (std::ranges::count(passed, '\n') > static_cast<std::ptrdiff_t>(kMostFields)) return;  // we add some
  require(!refuse_request(passed), "what passes would pass the next gate");
}

void read_response(std::string_view head) {
  const auto refusal = refuse_response(head);
  const auto line = refuse_status_line(head.substr(0, head.find("\r\n")));
  require(!line || refusal, "a response with a bad first line is refused");
  if (refusal) return;
  ResponseParser parser;
  parser.header_limit(kMostResponseHead);
  parser.body_limit(boost::none);
  if (!is_read(parser, head)) return;
  auto& response = parser.get();
  if (response.result_int() < 200) {
    prepare_interim_response(response);
    require(response.count(http::field::content_length) == 0, "an interim response has no body");
  } else {
    prepare_response(response);
  }
  const std::string passed = "HTTP/1.1 " + std::to_string(response.result_int()) + " " +
                             std::string(response.reason()) + "\r\n" + lines_of(response);
  require(!refuse_response(passed), "what passes would pass the next gate");
}

}  // namespace
}  // namespace keystay::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = keystay::tlsd::head_size(text, 0);
  if (end == 0 || keystay::tlsd::has_bare_line_end(text.substr(0, end), 0)) return 0;
  if (text.starts_with("HTTP/")) {
    keystay::test::read_response(text.substr(0, end));
  } else {
    keystay::test::read_request(text.substr(0, end));
  }
  return 0;
}
