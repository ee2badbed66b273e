#include "tlsd/http/redirect.h"

#include <algorithm>
#include <string_view>

#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>

namespace keystay::tlsd {
namespace {

constexpr std::uint16_t kHttpsPort = 443;
constexpr std::size_t kMostName = 253;  // of a DNS name
constexpr std::string_view kChallengePath = "/.well-known/acme-challenge/";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The gate lets every host of RFC 3986 pass, percent-encoded ones too. What comes back in Location is a name
// of DNS, with the underscore that some have, or an address.
bool is_plain_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.ends_with(']') && std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return (is_letter_or_digit(c) && (c | 0x20) <= 'f') || c == ':' || c == '.';
           });
  }
  return !host.empty() && host.size() <= kMostName && std::ranges::all_of(host, [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

// RFC 4648, section 5, without padding.
bool is_base64url(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

std::optional<std::string> redirect_location(const RequestHeader& request, std::uint16_t port) {
  const std::string_view target = request.target();
  const std::string_view host_and_port = request[http::field::host];
  const auto authority = boost::urls::parse_authority(host_and_port);
  if (!authority || authority->has_userinfo() || !target.starts_with('/')) return std::nullopt;
  const auto encoded = authority->encoded_host();
  const std::string host(encoded.data(), encoded.size());
  if (!is_plain_host(host)) return std::nullopt;
  std::string location = "https://" + host;
  if (port != kHttpsPort) location += ":" + std::to_string(port);
  return location.append(target);
}

http::status redirect_status(http::verb method) noexcept {
  const bool safe = method == http::verb::get || method == http::verb::head;
  return safe ? http::status::moved_permanently : http::status::permanent_redirect;
}

bool is_acme_challenge(const RequestHeader& request) noexcept {
  const std::string_view target = request.target();
  return (request.method() == http::verb::get || request.method() == http::verb::head) &&
         target.starts_with(kChallengePath) && is_base64url(target.substr(kChallengePath.size()));
}

}  // namespace keystay::tlsd
