// The CKA_LABEL of an object that is being made and has no alias yet: "unfinished-", the time in UTC, a
// nonce. The program that makes the object gives it its own label in the end. A process that is killed leaves
// it under this one, so that what it left can be told from everything else (docs/design/alias-model.md,
// "Unfinished").
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keystay::keys {

// What no alias may begin with.
inline constexpr std::string_view kUnfinishedPrefix = "unfinished-";

// "unfinished-20261129T083000Z-0123456789abcdef": now, and 64 random bits. Throws std::system_error.
[[nodiscard]] std::string unfinished_label();

// When the label was made; nothing for a label of any other form.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> unfinished_since(std::string_view label);
[[nodiscard]] bool is_unfinished_label(std::string_view label);

}  // namespace keystay::keys
