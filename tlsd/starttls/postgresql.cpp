// PostgreSQL's frontend/backend protocol, "Message Formats": what a client may send first. Each such message
// has its size and a code, both of 32 bits in network byte order.
#include <cstdint>

#include "tlsd/starttls/protocol.h"

namespace keystay::tlsd {
namespace {

using Then = ClearReply::Then;

constexpr std::size_t kSizeAndCode = 8;
constexpr std::size_t kLeastCancel = 16;  // with the number of a process and a key of at least 4 bytes
constexpr std::size_t kMostCancel = 268;  // with a key of 256 bytes (protocol 3.2)
constexpr std::uint32_t kCancelRequest = 80877102;
constexpr std::uint32_t kSslRequest = 80877103;
constexpr std::uint32_t kGssEncRequest = 80877104;

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (const char c : bytes.substr(at, 4)) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

bool is_cancel_size(std::size_t size) { return size >= kLeastCancel && size <= kMostCancel; }

// Of one that is answered by its size and code alone, these are enough.
std::size_t size_of_message(std::string_view bytes) {
  if (bytes.size() < kSizeAndCode) return 0;
  const std::size_t size = number_at(bytes, 0);
  if (number_at(bytes, 4) != kCancelRequest || !is_cancel_size(size)) return kSizeAndCode;
  return bytes.size() < size ? 0 : size;
}

// ErrorResponse: severity, SQLSTATE and text, each a field with a letter in front and a zero behind.
std::string error_response(std::string_view state, std::string_view text) {
  std::string fields;
  const auto add = [&fields](char letter, std::string_view value) {
    fields.push_back(letter);
    fields.append(value).push_back('\0');
  };
  add('S', "FATAL");
  add('V', "FATAL");
  add('C', state);
  add('M', text);
  fields.push_back('\0');
  std::string message("E\0\0", 3);
  const std::size_t size = fields.size() + 4;
  message.push_back(static_cast<char>(size >> 8U));
  message.push_back(static_cast<char>(size & 0xFFU));
  return message + fields;
}

ClearReply reply(std::string_view message) {
  const std::size_t size = number_at(message, 0);
  switch (number_at(message, 4)) {
    case kSslRequest:
      if (size == kSizeAndCode) return {"S", Then::tls};
      break;
    case kGssEncRequest:
      if (size == kSizeAndCode) return {"N"};
      break;
    case kCancelRequest:
      if (is_cancel_size(size)) return {{}, Then::cancel};
      break;
    default:
      break;
  }
  return {error_response("28000", "only connections by TLS are served here (sslmode=require)"), Then::refuse};
}

}  // namespace

ClearProtocol postgresql_protocol() { return {{}, true, size_of_message, reply, nullptr}; }

}  // namespace keystay::tlsd
