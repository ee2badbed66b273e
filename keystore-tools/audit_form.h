// An audit as people and programs read it.
#pragma once

#include <string>
#include <vector>

#include "keystore-tools/audit_report.h"
#include "keystore-tools/terminal_style.h"

namespace keystay::tools {

// When it was made, by what, and against which policy.
struct AuditHeading {
  std::chrono::system_clock::time_point time;
  std::string policy;  // "policy.toml", or "the policy that is built in"
};

[[nodiscard]] std::string audit_in_text(const AuditHeading& heading, const std::vector<AuditReport>& reports,
                                        TerminalStyle style);
// One line; its keys stand in docs/user/audit.md.
[[nodiscard]] std::string audit_in_json(const AuditHeading& heading, const std::vector<AuditReport>& reports);
// A page of its own, without scripts and without anything from elsewhere; for paper as well.
[[nodiscard]] std::string audit_in_html(const AuditHeading& heading, const std::vector<AuditReport>& reports);

// "yes", "no", "not told".
[[nodiscard]] std::string_view answer(std::optional<bool> flag);
// "made in the token", "brought to it", "not told".
[[nodiscard]] std::string_view origin(const AuditedKey& key);
[[nodiscard]] std::string uses(const AuditedKey& key);
// "2026-11-30".
[[nodiscard]] std::string day(std::chrono::system_clock::time_point time);

}  // namespace keystay::tools
