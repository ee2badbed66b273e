#include "native/keys/alias_state.h"

#include <charconv>

#include "native/pkcs11/deactivated_label.h"

namespace keystay::keys {
namespace {

constexpr std::string_view kVersionPrefix = "version-";
constexpr std::string_view kNext = "next-";

// "2-httpd", as kept_label() writes it: without leading zeros.
bool take_number(std::string_view& rest, unsigned& number) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const auto digits = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc() || rest.front() == '0' || digits >= rest.size() || rest[digits] != '-')
    return false;
  rest.remove_prefix(digits + 1);
  return true;
}

}  // namespace

AliasVersion version_of(std::string_view label) {
  if (pkcs11::is_deactivated_label(label))
    return {AliasState::deactivated, std::string(label.substr(pkcs11::kDeactivatedPrefix.size()))};
  if (!label.starts_with(kVersionPrefix)) return {AliasState::active, std::string(label)};
  std::string_view rest = label.substr(kVersionPrefix.size());
  if (rest.starts_with(kNext) && rest.size() > kNext.size())
    return {AliasState::next, std::string(rest.substr(kNext.size()))};
  unsigned number = 0;
  if (!rest.empty() && take_number(rest, number) && !rest.empty())
    return {AliasState::kept, std::string(rest), number};
  return {AliasState::active, std::string(label)};
}

bool is_state_label(std::string_view label) { return version_of(label).state != AliasState::active; }

std::string deactivated_label(std::string_view alias) {
  return std::string(pkcs11::kDeactivatedPrefix).append(alias);
}

std::string next_label(std::string_view alias) {
  return std::string(kVersionPrefix).append(kNext).append(alias);
}

std::string kept_label(std::string_view alias, unsigned number) {
  return std::string(kVersionPrefix).append(std::to_string(number)).append("-").append(alias);
}

std::string_view name_of(AliasState state) {
  switch (state) {
    case AliasState::active:
      return "active";
    case AliasState::deactivated:
      return "deactivated";
    case AliasState::next:
      return "next";
    case AliasState::kept:
      return "kept";
  }
  return "";
}

}  // namespace keystay::keys
