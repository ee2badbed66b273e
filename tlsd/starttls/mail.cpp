// The three protocols of mail: SMTP, IMAP and POP3. Commands are lines, in any case.
#include <algorithm>

#include <boost/beast/core/string.hpp>

#include "tlsd/starttls/protocol.h"

namespace keystay::tlsd {
namespace {

using boost::beast::iequals;
using Then = ClearReply::Then;

// The first word of a line, taken off with the blanks behind it.
std::string_view take_word(std::string_view& line) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

ClearReply smtp_reply(std::string_view line) {
  std::string_view arguments = without_line_end(line);
  const std::string_view command = take_word(arguments);
  if (iequals(command, "EHLO"))
    return {"250-" + greeting_name() + "\r\n250-STARTTLS\r\n250 ENHANCEDSTATUSCODES\r\n"};
  if (iequals(command, "HELO")) return {"250 " + greeting_name() + "\r\n"};
  if (iequals(command, "NOOP") || iequals(command, "RSET")) return {"250 2.0.0 OK\r\n"};
  if (iequals(command, "QUIT")) return {"221 2.0.0 Bye\r\n", Then::end};
  if (!iequals(command, "STARTTLS")) return {"530 5.7.0 Must issue a STARTTLS command first\r\n"};
  if (!arguments.empty()) return {"501 5.5.4 STARTTLS has no parameters\r\n"};
  return {"220 2.0.0 Ready to start TLS\r\n", Then::tls};
}

// RFC 5321, section 4.2.1: "220-" begins each line but the last one, which "220 " begins.
ServerGreeting smtp_greeting(std::string_view bytes) {
  for (std::size_t at = 0;;) {
    const std::size_t size = size_of_line(bytes.substr(at));
    if (size == 0) return {};
    const std::string_view line = bytes.substr(at, size);
    const bool is_reply = line.size() > 4 && line.find_first_not_of("0123456789") >= 3;
    if (!is_reply) return {ServerGreeting::Kind::other};
    if (!line.starts_with("220")) {
      const bool refusal = line.front() == '4' || line.front() == '5';
      return {refusal ? ServerGreeting::Kind::refusal : ServerGreeting::Kind::other};
    }
    at += size;
    if (line[3] != '-') return {ServerGreeting::Kind::ready, at};
  }
}

// RFC 9051, section 9, "tag": no characters that mean something in a reply.
bool is_tag(std::string_view tag) {
  return !tag.empty() && std::ranges::all_of(tag, [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("(){%*\"\\+]").find(c) == std::string_view::npos;
  });
}

constexpr std::string_view kImapCapabilities = "IMAP4rev1 STARTTLS LOGINDISABLED";

ClearReply imap_reply(std::string_view line) {
  std::string_view command = without_line_end(line);
  const std::string tag(take_word(command));
  if (!is_tag(tag)) return {"* BAD a command begins with a tag\r\n"};
  if (iequals(command, "CAPABILITY"))
    return {"* CAPABILITY " + std::string(kImapCapabilities) + "\r\n" + tag + " OK done\r\n"};
  if (iequals(command, "NOOP")) return {tag + " OK done\r\n"};
  if (iequals(command, "LOGOUT")) return {"* BYE\r\n" + tag + " OK done\r\n", Then::end};
  if (iequals(command, "STARTTLS")) return {tag + " OK begin TLS negotiation now\r\n", Then::tls};
  return {tag + " NO [PRIVACYREQUIRED] only after STARTTLS\r\n"};
}

// PREAUTH would give whoever is in TLS what belongs to somebody else's login.
ServerGreeting imap_greeting(std::string_view bytes) {
  const std::size_t size = size_of_line(bytes);
  if (size == 0) return {};
  const std::string_view line = without_line_end(bytes.substr(0, size));
  const auto begins_with = [line](std::string_view word) {
    return iequals(line.substr(0, word.size()), word) && line.substr(word.size()).substr(0, 1) <= " ";
  };
  if (begins_with("* OK")) return {ServerGreeting::Kind::ready, size};
  return {begins_with("* BYE") ? ServerGreeting::Kind::refusal : ServerGreeting::Kind::other};
}

ClearReply pop3_reply(std::string_view line) {
  const std::string_view command = without_line_end(line);
  if (iequals(command, "CAPA")) return {"+OK\r\nSTLS\r\n.\r\n"};
  if (iequals(command, "NOOP")) return {"+OK\r\n"};
  if (iequals(command, "QUIT")) return {"+OK\r\n", Then::end};
  if (iequals(command, "STLS")) return {"+OK begin TLS negotiation\r\n", Then::tls};
  return {"-ERR only after STLS\r\n"};
}

ServerGreeting pop3_greeting(std::string_view bytes) {
  const std::size_t size = size_of_line(bytes);
  if (size == 0) return {};
  if (bytes.starts_with("+OK")) return {ServerGreeting::Kind::ready, size};
  return {bytes.starts_with("-ERR") ? ServerGreeting::Kind::refusal : ServerGreeting::Kind::other};
}

}  // namespace

ClearProtocol smtp_protocol() {
  return {"220 " + greeting_name() + " ESMTP\r\n", false, size_of_line, smtp_reply, smtp_greeting};
}

ClearProtocol imap_protocol() {
  return {"* OK [CAPABILITY " + std::string(kImapCapabilities) + "] ready\r\n", false, size_of_line,
          imap_reply, imap_greeting};
}

ClearProtocol pop3_protocol() { return {"+OK ready\r\n", false, size_of_line, pop3_reply, pop3_greeting}; }

}  // namespace keystay::tlsd
