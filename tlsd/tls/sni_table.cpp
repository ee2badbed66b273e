#include "tlsd/tls/sni_table.h"

#include <algorithm>
#include <array>

namespace keystay::tlsd {
namespace {

constexpr std::string_view kWildcard = "*.";
constexpr std::size_t kLongestName = 255;  // RFC 1035, section 2.3.4

char lower_case(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool covers(std::string_view pattern, std::string_view name) noexcept {
  if (pattern == name) return true;
  if (!pattern.starts_with(kWildcard)) return false;
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(dot + 1) == pattern.substr(kWildcard.size());
}

void SniTable::add(const std::string& pattern, const NamedContext& context) {
  if (pattern.starts_with(kWildcard)) {
    wildcard_.emplace(pattern.substr(kWildcard.size()), context);
  } else {
    exact_.emplace(pattern, context);
  }
}

const NamedContext* SniTable::find(std::string_view server_name) const noexcept {
  std::array<char, kLongestName> lower;
  if (server_name.size() > lower.size()) return nullptr;
  std::ranges::transform(server_name, lower.begin(), lower_case);
  const std::string_view name(lower.data(), server_name.size());

  if (const auto found = exact_.find(name); found != exact_.end()) return &found->second;
  const auto dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  const auto found = wildcard_.find(name.substr(dot + 1));
  return found != wildcard_.end() ? &found->second : nullptr;
}

}  // namespace keystay::tlsd
