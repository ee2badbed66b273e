// Durations as configuration files write them: "500ms", "5s", "2m", "1h".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keystay::config {

// A whole number and a unit; nothing for any other text.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// In the largest unit that needs no fraction.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace keystay::config
