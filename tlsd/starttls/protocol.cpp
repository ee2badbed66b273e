#include "tlsd/starttls/protocol.h"

#include <algorithm>
#include <array>

#include <unistd.h>

namespace keystay::tlsd {
namespace {

// RFC 5321, section 4.1.2, "Domain".
bool is_domain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || !is_domain(name.data())) return "localhost";
  return name.data();
}

}  // namespace

const std::string& greeting_name() {
  static const std::string name = host_name();
  return name;
}

const ClearProtocol& clear_protocol(config::StartTls protocol) {
  static const ClearProtocol smtp = smtp_protocol();
  static const ClearProtocol imap = imap_protocol();
  static const ClearProtocol pop3 = pop3_protocol();
  static const ClearProtocol ldap = ldap_protocol();
  static const ClearProtocol postgresql = postgresql_protocol();
  switch (protocol) {
    case config::StartTls::smtp:
      return smtp;
    case config::StartTls::imap:
      return imap;
    case config::StartTls::pop3:
      return pop3;
    case config::StartTls::ldap:
      return ldap;
    case config::StartTls::postgresql:
    case config::StartTls::none:  // nobody asks
      break;
  }
  return postgresql;
}

std::size_t size_of_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  return end == std::string_view::npos ? 0 : end + 1;
}

std::string_view without_line_end(std::string_view line) {
  const auto last = line.find_last_not_of(" \t\r\n");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace keystay::tlsd
