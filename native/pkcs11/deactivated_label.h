// The CKA_LABEL of a key that is not to be used: its alias behind "deactivated-" (docs/design/alias-model.md,
// "States").
#pragma once

#include <string_view>

namespace keystay::pkcs11 {

inline constexpr std::string_view kDeactivatedPrefix = "deactivated-";

[[nodiscard]] constexpr bool is_deactivated_label(std::string_view label) noexcept {
  return label.size() > kDeactivatedPrefix.size() && label.starts_with(kDeactivatedPrefix);
}

}  // namespace keystay::pkcs11
