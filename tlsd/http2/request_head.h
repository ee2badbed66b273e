// The head of a request of HTTP/2 (RFC 9113, section 8.3.1), made one of HTTP/1.1: the framing gate, Beast
// and the exchange then see the bytes that a backend would, and one set of rules serves both versions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tlsd/http/framing_gate.h"
#include "tlsd/http/http.h"

namespace keystay::tlsd {

// How much of a field section is decoded at most; a client that sends more is ended, since what follows
// can only be decoded with the same state (RFC 9113, section 4.3).
inline constexpr std::size_t kMostDecodedFields = 64 * 1024;
// SETTINGS_MAX_HEADER_LIST_SIZE counts so many bytes for each field besides name and value (RFC 9113, 6.5.2).
inline constexpr std::size_t kFieldOverhead = 32;

// Whether the request has a body, as far as its first frames tell.
enum class RequestBody { none, expected };

class RequestHead final {
 public:
  // `sizes` must outlive the head.
  explicit RequestHead(const config::RequestSizes& sizes) : sizes_(&sizes) {}

  // A field of the section, in the order of its coming. What exceeds the size of a head is not kept.
  // False if more than kMostDecodedFields came.
  [[nodiscard]] bool add(std::string_view name, std::string_view value);

  // Parsed, if it may pass; the version of the message is 20 then. Why it may not otherwise. To be called
  // once.
  [[nodiscard]] std::optional<Refusal> parse(RequestParser& request, RequestBody body);

  // As HTTP/1.1 would have it; for a log, since its parts may hold anything.
  [[nodiscard]] std::string request_line() const { return method_ + " " + path_ + " HTTP/2.0"; }
  [[nodiscard]] http::verb method() const { return http::string_to_verb(method_); }
  // Extended CONNECT (RFC 8441, section 4).
  [[nodiscard]] bool asks_for_websocket() const;

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void add_regular(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<Refusal> check() const;
  [[nodiscard]] std::string text(RequestBody body) const;

  const config::RequestSizes* sizes_;
  std::string method_;
  std::string scheme_;
  std::string authority_;
  std::string path_;
  std::string protocol_;
  std::string host_;
  std::string cookies_;  // one field, as HTTP/1.1 wants it (RFC 9113, section 8.2.3)
  std::string lines_;    // the other fields
  std::size_t hosts_ = 0;
  std::size_t size_ = 0;
  bool has_length_ = false;
  bool too_large_ = false;
  bool breaks_line_ = false;  // a character that would end a line of HTTP/1.1
};

}  // namespace keystay::tlsd
