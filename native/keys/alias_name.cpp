#include "native/keys/alias_name.h"

#include <algorithm>
#include <array>
#include <string>

#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

constexpr std::array<std::string_view, 3> kReservedPrefixes{"id:", "issuer-", kUnfinishedPrefix};

// "httpd#2", which listings call one of several.
bool is_numbered(std::string_view alias) {
  const std::size_t last = alias.find_last_not_of("0123456789");
  return last != std::string_view::npos && last + 1 < alias.size() && alias[last] == '#';
}

}  // namespace

void require_alias_name(std::string_view alias) {
  // In any letter case, as names are looked up.
  const auto begins_with = [&](std::string_view prefix) {
    return pkcs11::equal_ignoring_case(alias.substr(0, prefix.size()), prefix);
  };
  const bool reserved = std::ranges::any_of(kReservedPrefixes, begins_with) || is_numbered(alias);
  const bool printable = std::ranges::none_of(alias, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (!pkcs11::is_utf8(alias)) {
    throw pkcs11::Error(
        pkcs11::ErrorClass::client,
        "an alias is UTF-8 text, which this name is not; set the locale of the terminal to UTF-8");
  }
  if (!alias.empty() && !reserved && printable) return;
  throw pkcs11::Error(pkcs11::ErrorClass::client, "\"" + std::string(printable ? alias : "…") +
                                                      "\" cannot be an alias: it must be printable text that "
                                                      "does not begin with \"id:\", \"issuer-\" or "
                                                      "\"unfinished-\" and does not end with # and a number");
}

}  // namespace keystay::keys
