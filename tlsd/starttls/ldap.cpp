// LDAP (RFC 4511): a client's first message has to be the extended operation StartTLS (section 4.14).
#include <cstdint>
#include <optional>

#include "tlsd/starttls/protocol.h"

namespace keystay::tlsd {
namespace {

using Then = ClearReply::Then;

constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kExtendedRequest = 0x77;  // [APPLICATION 23]
constexpr std::uint8_t kRequestName = 0x80;      // [0]
constexpr std::string_view kStartTls = "1.3.6.1.4.1.1466.20037";
constexpr std::string_view kNoticeOfDisconnection = "1.3.6.1.4.1.1466.20036";
constexpr std::size_t kMostShortLength = 0x7f;
constexpr std::size_t kMostMessageId = 4;  // bytes

struct Header {
  std::size_t size = 0;     // of tag and length; 0 while it is not complete
  std::size_t content = 0;  // bytes behind it
};

std::uint8_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

// Tag and length (X.690, section 8.1); lengths of more than two bytes are far beyond what this is about.
// Nothing if it is of another form.
std::optional<Header> parse_header(std::string_view bytes, std::uint8_t tag) {
  if (!bytes.empty() && byte_at(bytes, 0) != tag) return std::nullopt;
  if (bytes.size() < 2) return Header{};
  const std::uint8_t first = byte_at(bytes, 1);
  if (first <= kMostShortLength) return Header{2, first};
  const std::size_t count = first & kMostShortLength;
  if (count < 1 || count > 2) return std::nullopt;
  if (bytes.size() < 2 + count) return Header{};
  std::size_t content = 0;
  for (std::size_t i = 0; i < count; ++i) content = (content << 8U) | byte_at(bytes, 2 + i);
  return Header{2 + count, content};
}

// What is no message is complete at once, for the reply to it.
std::size_t size_of_message(std::string_view bytes) {
  const auto header = parse_header(bytes, kSequence);
  if (!header) return bytes.size();
  const std::size_t size = header->size + header->content;
  return header->size == 0 || bytes.size() < size ? 0 : size;
}

// Takes an element off the front; its content.
std::optional<std::string_view> take_element(std::string_view& bytes, std::uint8_t tag) {
  const auto header = parse_header(bytes, tag);
  if (!header || header->size == 0 || bytes.size() - header->size < header->content) return std::nullopt;
  const auto content = bytes.substr(header->size, header->content);
  bytes.remove_prefix(header->size + header->content);
  return content;
}

std::string element(std::uint8_t tag, std::string_view content) {
  std::string result;
  result.push_back(static_cast<char>(tag));
  result.push_back(static_cast<char>(content.size()));  // less than 128
  return result.append(content);
}

// ExtendedResponse, [APPLICATION 24]: resultCode, matchedDN, diagnosticMessage, and the name of what it
// answers, [10].
std::string extended_response(std::string_view id, char result, std::string_view text,
                              std::string_view name) {
  const std::string response =
      element(0x0a, {&result, 1}) + element(0x04, {}) + element(0x04, text) + element(0x8a, name);
  return element(kSequence, element(kInteger, id) + element(0x78, response));
}

ClearReply refuse() {
  constexpr char kConfidentialityRequired = 13;
  constexpr std::string_view kUnsolicited("\0", 1);
  return {extended_response(kUnsolicited, kConfidentialityRequired, "StartTLS first", kNoticeOfDisconnection),
          Then::refuse};
}

ClearReply reply(std::string_view message) {
  auto content = take_element(message, kSequence);
  if (!content) return refuse();
  const auto id = take_element(*content, kInteger);
  auto request = take_element(*content, kExtendedRequest);
  if (!id || id->empty() || id->size() > kMostMessageId || !request) return refuse();
  const auto name = take_element(*request, kRequestName);
  if (!name || *name != kStartTls) return refuse();
  constexpr char kSuccess = 0;
  return {extended_response(*id, kSuccess, {}, kStartTls), Then::tls};
}

}  // namespace

ClearProtocol ldap_protocol() { return {{}, false, size_of_message, reply, nullptr}; }

}  // namespace keystay::tlsd
