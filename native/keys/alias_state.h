// What of an alias a key is, by its CKA_LABEL: the key that is served, one that is not to be served now, or
// another version of it. The label is where every program on every machine that uses the token sees it,
// without a search more (docs/design/alias-model.md, "States").
#pragma once

#include <string>
#include <string_view>

namespace keystay::keys {

enum class AliasState {
  active,       // "httpd"
  deactivated,  // "deactivated-httpd": the alias's key, which nothing loads or uses until it is active again
  next,         // "version-next-httpd": the key that follows, and waits for its certificate
  kept          // "version-2-httpd": one that another has followed, until it is retired
};

struct AliasVersion {
  AliasState state = AliasState::active;
  std::string alias;    // "httpd"
  unsigned number = 0;  // of one that is kept; the greater, the later it was replaced
};

// Of any label; what has no other form is an active alias of this name.
[[nodiscard]] AliasVersion version_of(std::string_view label);
// Whether it has one of the other forms.
[[nodiscard]] bool is_state_label(std::string_view label);

[[nodiscard]] std::string deactivated_label(std::string_view alias);
[[nodiscard]] std::string next_label(std::string_view alias);
[[nodiscard]] std::string kept_label(std::string_view alias, unsigned number);

// "active", "deactivated", "next", "kept".
[[nodiscard]] std::string_view name_of(AliasState state);

}  // namespace keystay::keys
