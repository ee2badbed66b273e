#include "tlsd/http/framing_gate.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <boost/beast/core/string.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/scheme.hpp>
#include <boost/url/url_view.hpp>

namespace keystay::tlsd {
namespace {

using boost::beast::iequals;
using boost::beast::http::status;

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::size_t kMostLengthDigits = 18;  // fits 64 bits
constexpr std::size_t kVersionSize = 8;        // "HTTP/1.1"
constexpr std::size_t kStatusLineSize = 12;    // "HTTP/1.1 200", without a reason phrase

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

// RFC 9110, section 5.6.2
bool is_token_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

// RFC 9110, section 5.5: visible characters, spaces and obs-text.
bool is_value_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes a line off the front. A lone CR or LF stays in it and is refused as a character.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find(kLineEnd);
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + kLineEnd.size());
  return line;
}

struct Field {
  std::string_view name;
  std::string_view value;
};

// What the framing depends on (RFC 9112, section 6).
struct Framing {
  std::size_t hosts = 0;
  std::string_view host;
  std::size_t content_lengths = 0;
  std::string_view content_length;
  std::size_t transfer_encodings = 0;
  std::string_view transfer_encoding;
};

std::optional<Refusal> bad(std::string_view reason) { return Refusal{status::bad_request, reason}; }

std::optional<Refusal> parse_field(std::string_view line, Field& field) {
  if (is_space(line.front())) return bad("a field must not be folded over lines");  // RFC 9112, section 5.2
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a field has no colon");
  field = {line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!field.name.empty() && is_space(field.name.back()))
    return bad("white space before a colon");  // section 5.1
  if (!is_token(field.name)) return bad("a field name has a character that is not allowed");
  if (!std::ranges::all_of(field.value, is_value_character)) return bad("a field has a control character");
  return std::nullopt;
}

void note(Framing& framing, const Field& field) {
  if (iequals(field.name, "Host")) {
    ++framing.hosts;
    framing.host = field.value;
  } else if (iequals(field.name, "Content-Length")) {
    ++framing.content_lengths;
    framing.content_length = field.value;
  } else if (iequals(field.name, "Transfer-Encoding")) {
    ++framing.transfer_encodings;
    framing.transfer_encoding = field.value;
  }
}

std::optional<Refusal> parse_fields(std::string_view fields, std::size_t most, Framing& framing) {
  std::size_t count = 0;
  while (!fields.empty()) {
    const std::string_view line = take_line(fields);
    if (line.empty()) break;
    if (++count > most) return Refusal{status::request_header_fields_too_large, "too many fields"};
    Field field;
    if (auto refusal = parse_field(line, field)) return refusal;
    note(framing, field);
  }
  return fields.empty() ? std::nullopt : bad("bytes after the empty line");
}

bool ends_in_chunked(std::string_view codings) {
  return iequals(trim(codings.substr(codings.rfind(',') + 1)), "chunked");
}

// RFC 9112, sections 6.1 to 6.3, in the strictest reading.
std::optional<Refusal> check_length(const Framing& framing, bool http_1_0) {
  if (framing.transfer_encodings > 0) {
    if (framing.content_lengths > 0) return bad("both Transfer-Encoding and Content-Length");
    if (http_1_0) return bad("Transfer-Encoding in HTTP/1.0");
    if (framing.transfer_encodings > 1) return bad("more than one Transfer-Encoding field");
    if (iequals(framing.transfer_encoding, "chunked")) return std::nullopt;
    if (!ends_in_chunked(framing.transfer_encoding))
      return bad("a Transfer-Encoding that does not end in chunked");
    return Refusal{status::not_implemented, "a Transfer-Encoding other than chunked"};
  }
  if (framing.content_lengths > 1) return bad("more than one Content-Length field");
  if (framing.content_lengths == 1 &&
      (framing.content_length.empty() || framing.content_length.size() > kMostLengthDigits ||
       !std::ranges::all_of(framing.content_length, is_digit))) {
    return bad("a Content-Length that is not a number");
  }
  return std::nullopt;
}

// RFC 3986, section 3.2.3; a number, if there is one, that TCP has (Boost.URL counts modulo 65,536).
bool is_port(std::string_view digits) {
  if (digits.empty()) return true;
  std::uint16_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && at == end && number != 0;
}

// RFC 3986, section 3.2, without the user information that has no place in HTTP (RFC 9110, section 4.2.4). A
// comma is a character of a name there, and here the mark of two names.
bool is_host_and_port(const boost::urls::authority_view& authority) {
  return !authority.has_userinfo() && !authority.encoded_host().empty() &&
         !authority.buffer().contains(',') && is_port(authority.port());
}

bool is_host_and_port(std::string_view text) {
  const auto authority = boost::urls::parse_authority(text);
  return authority && is_host_and_port(*authority);
}

// RFC 9112, section 3.2. An empty Host is that of a target without authority.
std::optional<Refusal> check_host(const Framing& framing, bool http_1_0) {
  if (framing.hosts > 1) return bad("more than one Host field");
  if (framing.hosts == 0 && !http_1_0) return bad("no Host field");
  if (!framing.host.empty() && !is_host_and_port(framing.host))
    return bad("a Host field that is not a host and port");
  return std::nullopt;
}

bool is_target_character(char c) { return c > ' ' && c < 0x7f && c != '#'; }

// RFC 9112, section 3.2.2: the authority becomes the Host. A path behind it begins with a slash (RFC 3986,
// section 3.3); Boost.URL 1.81 takes what follows the digits of a port for one that does not.
bool is_absolute_form(std::string_view target) {
  const auto uri = boost::urls::parse_uri(target);
  if (!uri || !uri->has_authority()) return false;
  if (!uri->encoded_path().empty() && !uri->encoded_path().starts_with('/')) return false;
  const boost::urls::scheme scheme = uri->scheme_id();
  return (scheme == boost::urls::scheme::http || scheme == boost::urls::scheme::https) &&
         is_host_and_port(uri->authority());
}

std::optional<Refusal> check_method_and_target(std::string_view method, std::string_view target) {
  if (!is_token(method)) return bad("a method that is not a token");
  // CONNECT is for forward proxies, and TRACE would send secrets back (RFC 9110, sections 9.3.6 and 9.3.8).
  if (method == "CONNECT" || method == "TRACE")
    return Refusal{status::method_not_allowed, "this method is refused"};
  if (target.empty() || !std::ranges::all_of(target, is_target_character)) {
    return bad("a request target with a character that is not allowed");
  }
  if (target.front() != '/' && !(target == "*" && method == "OPTIONS") && !is_absolute_form(target)) {
    return bad("a request target that is no path");
  }
  return std::nullopt;
}

struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

// RFC 9112, section 3: exactly one space on either side of the target.
std::optional<RequestLine> split_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  return RequestLine{line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
}

// RFC 9112, section 2.3.
bool is_http_1(std::string_view version) {
  return version.size() == kVersionSize && version.starts_with("HTTP/1.") && is_digit(version.back());
}

std::optional<Refusal> check_version(std::string_view version) {
  if (is_http_1(version)) return std::nullopt;
  const bool well_formed = version.size() == kVersionSize && version.starts_with("HTTP/") &&
                           is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  if (!well_formed) return bad("a request line that is not HTTP");
  return Refusal{status::http_version_not_supported, "only HTTP/1.1 and HTTP/1.0 are served here"};
}

void lower(char& minor_version) noexcept { minor_version = std::min(minor_version, '1'); }

}  // namespace

std::optional<Refusal> refuse_request_line(std::string_view text, const config::RequestSizes& sizes) {
  if (text.size() > sizes.line)
    return Refusal{status::uri_too_long, "the request line exceeds max-request-line"};
  const auto line = split_request_line(text);
  if (!line) return bad("a request line that is not HTTP");
  if (auto refusal = check_version(line->version)) return refusal;
  return check_method_and_target(line->method, line->target);
}

std::optional<Refusal> refuse_request(std::string_view head, const config::RequestSizes& sizes) {
  const std::string_view request_line = take_line(head);
  if (auto refusal = refuse_request_line(request_line, sizes)) return refusal;
  const bool http_1_0 = request_line.ends_with("HTTP/1.0");
  Framing framing;
  if (auto refusal = parse_fields(head, sizes.fields, framing)) return refusal;
  if (auto refusal = check_host(framing, http_1_0)) return refusal;
  return check_length(framing, http_1_0);
}

// RFC 9112, section 4; some servers leave out the space in front of an empty reason phrase.
std::optional<std::string_view> refuse_status_line(std::string_view line) {
  if (!is_http_1(line.substr(0, kVersionSize)) || !line.substr(kVersionSize).starts_with(' '))
    return "not HTTP/1.x";
  if (line.size() < kStatusLineSize || line[9] == '0' || !std::ranges::all_of(line.substr(9, 3), is_digit) ||
      (line.size() > kStatusLineSize && line[kStatusLineSize] != ' ')) {
    return "a status line without a status code";
  }
  if (!std::ranges::all_of(line, is_value_character)) return "a status line with a control character";
  return std::nullopt;
}

void lower_version_of_request(std::span<char> head) noexcept {
  const auto end = std::string_view(head.data(), head.size()).find(kLineEnd);
  lower(head[end - 1]);
}

void lower_version_of_response(std::span<char> head) noexcept { lower(head[kVersionSize - 1]); }

std::optional<std::string_view> refuse_response(std::string_view head) {
  const std::string_view status_line = take_line(head);
  if (const auto reason = refuse_status_line(status_line)) return reason;
  Framing framing;
  auto refusal = parse_fields(head, kMostFields, framing);
  if (!refusal) refusal = check_length(framing, status_line.starts_with("HTTP/1.0"));
  return refusal ? std::optional(refusal->reason) : std::nullopt;
}

}  // namespace keystay::tlsd
