// Text out of words and numbers, where fmt, which must not come into the provider's hosts, is not at hand.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace keystay::x509 {

inline void append_part(std::string& text, std::string_view part) { text.append(part); }
inline void append_part(std::string& text, std::integral auto number) { text += std::to_string(number); }

// joined("#", 1, ": ", name).
template <typename... Parts>
[[nodiscard]] std::string joined(const Parts&... parts) {
  std::string text;
  (append_part(text, parts), ...);
  return text;
}

}  // namespace keystay::x509
