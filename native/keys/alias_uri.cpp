#include "native/keys/alias_uri.h"

#include <algorithm>
#include <string>

#include "native/pkcs11/percent_encoding.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/uri.h"

namespace keystay::keys {
namespace {

constexpr std::string_view kScheme = "keystay:";

// pchar (RFC 3986, section 3.3) and the slash between segments.
bool is_path_character(char c) noexcept {
  return pkcs11::is_unreserved(c) || std::string_view("%!$&'()*+,;=:@/").find(c) != std::string_view::npos;
}

[[noreturn]] void fail(std::size_t in_path, const std::string& why) {
  throw pkcs11::UriError("keystay: URI",
                         "character " + std::to_string(kScheme.size() + in_path + 1) + ": " + why);
}

}  // namespace

bool is_alias_uri(std::string_view text) noexcept {
  return pkcs11::equal_ignoring_case(text.substr(0, kScheme.size()), kScheme);
}

std::string_view path_of_alias_uri(std::string_view uri) {
  const std::string_view path = uri.substr(kScheme.size());
  if (const auto odd = std::ranges::find_if_not(path, is_path_character); odd != path.end()) {
    fail(static_cast<std::size_t>(odd - path.begin()),
         "it must be percent-encoded, as %20 for a blank, %23 for \"#\" and %3F for \"?\"");
  }
  if (const auto at = pkcs11::broken_percent_encoding(path)) {
    fail(*at, "a % without two hexadecimal digits; a % itself is written %25");
  }
  const std::string decoded = pkcs11::percent_decoded(path);
  if (decoded.find('\0') != std::string::npos || !pkcs11::is_utf8(decoded)) {
    fail(0, "the alias is not UTF-8; name the key by pkcs11:id=");
  }
  return path;
}

}  // namespace keystay::keys
