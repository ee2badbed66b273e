#include "native/keys/alias_name.h"

#include <algorithm>
#include <array>
#include <optional>

#include "native/keys/alias_state.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

constexpr std::array<std::string_view, 3> kReservedPrefixes{"id:", "issuer-", kUnfinishedPrefix};

// "httpd#2", which listings call one of several.
bool is_numbered(std::string_view alias) {
  const std::size_t last = alias.find_last_not_of("0123456789");
  return last != std::string_view::npos && last + 1 < alias.size() && alias[last] == '#';
}

// The message is about the character, since a reader cannot see it.
void require_visible(std::u32string_view characters, const std::string& shown) {
  const std::optional<char32_t> hidden = pkcs11::first_invisible(characters);
  if (!hidden) return;
  throw pkcs11::Error(pkcs11::ErrorClass::client,
                      "\"" + shown + "\" cannot be an alias: it must be printable text, and " +
                          pkcs11::code_point_name(*hidden) + " in it is a character that cannot be seen");
}

}  // namespace

void require_alias_name(std::string_view alias) {
  const std::optional<std::u32string> characters = pkcs11::code_points(alias);
  if (!characters) {
    throw pkcs11::Error(
        pkcs11::ErrorClass::client,
        "an alias is UTF-8 text, which this name is not; set the locale of the terminal to UTF-8");
  }
  const std::string shown = pkcs11::printable(alias);
  require_visible(*characters, shown);
  // In any letter case, as names are looked up.
  const auto begins_with = [&](std::string_view prefix) {
    return pkcs11::equal_ignoring_case(alias.substr(0, prefix.size()), prefix);
  };
  const bool reserved = std::ranges::any_of(kReservedPrefixes, begins_with) || is_numbered(alias) ||
                        is_state_label(pkcs11::case_folded(alias));
  const bool ends_blank = alias.starts_with(' ') || alias.ends_with(' ');
  if (!alias.empty() && !reserved && !ends_blank) return;
  throw pkcs11::Error(pkcs11::ErrorClass::client,
                      "\"" + shown +
                          "\" cannot be an alias: it must be printable text that does not begin with "
                          "\"id:\", \"issuer-\", \"unfinished-\", \"deactivated-\" or \"version-\" and a "
                          "number, does not end "
                          "with # and a number, and "
                          "has no blank at either end");
}

bool are_alike(std::string_view a, std::string_view b) {
  return a == b || pkcs11::case_folded(a) == pkcs11::case_folded(b);
}

std::string quoted_alias(std::string_view alias) { return "alias \"" + pkcs11::printable(alias) + "\""; }

}  // namespace keystay::keys
