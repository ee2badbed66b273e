// The known word that a misspelt one probably stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace keystay::config {

// "did you mean "sessions"?" for a word at a small edit distance from a known one, else
// "known here: "label", "module", …".
[[nodiscard]] std::string suggest(std::string_view word, std::span<const std::string_view> known);

}  // namespace keystay::config
