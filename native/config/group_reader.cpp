#include "native/config/group_reader.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

#include "native/config/duration.h"
#include "native/config/nearest.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::int64_t kMostMembers = 16;
constexpr IntegerRange kWeight{0, 100};
constexpr DurationRange kTimeout{10ms, 10min};
constexpr DurationRange kPause{100ms, 1h};
constexpr std::string_view kPauses[] = {"1s", "1s", "2s", "5s", "10s", "60s"};

using Tokens = std::map<std::string, TokenSettings, std::less<>>;

void require_token(const TableReader& group, const std::string& member, const Tokens& tokens,
                   const std::set<std::string>& groups) {
  if (tokens.contains(member)) return;
  if (groups.contains(member))
    group.fail("members", "\"" + member + "\" is a group, and members are tokens; write its members instead");
  std::vector<std::string_view> names;
  for (const auto& [name, _] : tokens) names.push_back(name);
  group.fail("members", "there is no section [token." + member + "]; " +
                            (names.empty() ? "add it with module, label and pin" : suggest(member, names)));
}

// Two names for one token would count as two members and fail together.
void require_different_tokens(const TableReader& group, const std::vector<std::string>& members,
                              const Tokens& tokens) {
  for (auto one = members.begin(); one != members.end(); ++one) {
    if (std::find(std::next(one), members.end(), *one) != members.end())
      group.fail("members", "\"" + *one + "\" stands there twice; name each token once");
    const TokenSettings& left = tokens.find(*one)->second;
    for (auto other = std::next(one); other != members.end(); ++other) {
      const TokenSettings& right = tokens.find(*other)->second;
      const bool same_serial = !left.serial.empty() && left.serial == right.serial;
      const bool same_label = left.serial.empty() && right.serial.empty() && left.label == right.label &&
                              left.module.lexically_normal() == right.module.lexically_normal() &&
                              left.remote == right.remote && left.module_arguments == right.module_arguments;
      if (!same_serial && !same_label) continue;
      group.fail("members",
                 "\"" + *one + "\" and \"" + *other + "\" are the same token by " +
                     (same_serial ? "serial \"" + left.serial : "module and label \"" + left.label) +
                     "\"; name it once, or give each its own serial");
    }
  }
}

std::vector<std::string> members(const TableReader& group, const Tokens& tokens,
                                 const std::set<std::string>& groups) {
  std::vector<std::string> members = group.required_texts("members", "[\"hsm-a\", \"hsm-b\"]");
  if (members.size() > static_cast<std::size_t>(kMostMembers))
    group.fail("members", "expected at most " + std::to_string(kMostMembers) + " tokens, got " +
                              std::to_string(members.size()));
  for (const std::string& member : members) require_token(group, member, tokens, groups);
  require_different_tokens(group, members, tokens);
  return members;
}

// A number of members; all of them, if none is written.
std::size_t up_to_all(const TableReader& group, std::string_view key, std::size_t members) {
  constexpr IntegerRange kAny{1, kMostMembers};
  const auto number =
      static_cast<std::size_t>(group.integer(key, kAny).value_or(static_cast<std::int64_t>(members)));
  if (number > members) {
    group.fail(key, std::to_string(number) + " is more than the group has members; write at most " +
                        std::to_string(members) + ", or leave the key out for all");
  }
  return number;
}

constexpr std::string_view kBalanceForms = "expected \"priority\" or { success = 1, idleness = 1 }";

std::optional<BalanceWeights> balance(const TableReader& group) {
  if (!group.has("balance")) return BalanceWeights{};
  if (group.is_table("balance")) {
    const TableReader weights = *group.table("balance");
    weights.allow({"success", "idleness"});
    const auto weight = [&](std::string_view key) {
      return static_cast<unsigned>(weights.integer(key, kWeight).value_or(0));
    };
    const BalanceWeights result{weight("success"), weight("idleness")};
    if (result.success == 0 && result.idleness == 0)
      group.fail("balance", "one of the two weights must be above 0; or write balance = \"priority\"");
    return result;
  }
  const std::string text = group.text("balance").value();
  if (text == "priority") return std::nullopt;
  group.fail("balance", std::string(kBalanceForms) + ", got \"" + text + "\"");
}

std::string same_zone(const TableReader& group, const std::vector<std::string>& members, const Tokens& tokens,
                      const std::string& zone) {
  if (!group.boolean("prefer-same-zone").value_or(false)) return {};
  if (zone.empty()) {
    group.fail("prefer-same-zone",
               "the zone of this machine is not known; write zone = \"…\" at the top of the file");
  }
  std::string zones;
  for (const std::string& member : members) {
    const std::string& other = tokens.find(member)->second.zone;
    if (other == zone) return zone;
    if (!other.empty()) zones += (zones.empty() ? "\"" : ", \"") + other + "\"";
  }
  group.fail("prefer-same-zone",
             "no member is in the zone \"" + zone + "\" of this machine; " +
                 (zones.empty() ? "write zone = \"…\" in the members' sections" : "theirs are " + zones));
}

std::vector<milliseconds> probe_pauses(const TableReader& group) {
  std::vector<milliseconds> pauses;
  const auto add = [&](std::string_view text) {
    const auto pause = parse_duration(text);
    if (!pause || *pause < kPause.least || *pause > kPause.most) {
      group.fail("probe", "expected durations from \"" + format_duration(kPause.least) + "\" to \"" +
                              format_duration(kPause.most) + "\", as in [\"1s\", \"5s\", \"60s\"], got \"" +
                              std::string(text) + "\"");
    }
    pauses.push_back(*pause);
  };
  if (const auto texts = group.texts("probe")) {
    if (texts->empty()) group.fail("probe", "must not be empty; write probe = [\"1s\", \"5s\", \"60s\"]");
    for (const std::string& text : *texts) add(text);
  } else {
    for (const std::string_view text : kPauses) add(text);
  }
  return pauses;
}

bool leave_hung_calls(const TableReader& group) {
  const std::string text = group.text("hung-calls").value_or("leave");
  if (text != "leave" && text != "wait")
    group.fail("hung-calls", "expected \"leave\" or \"wait\", got \"" + text + "\"");
  return text == "leave";
}

// Two fifths of the time-out, so that a hang of one member leaves time for two others.
milliseconds attempt_timeout(const TableReader& group, milliseconds timeout) {
  const auto attempt = group.duration("attempt-timeout", kTimeout).value_or(timeout * 2 / 5);
  if (attempt >= timeout) {
    group.fail("attempt-timeout", "expected less than timeout (" + format_duration(timeout) +
                                      "), so that another member can still be asked, got \"" +
                                      format_duration(attempt) + "\"");
  }
  return attempt;
}

struct NamedMechanism {
  std::string_view name;
  unsigned long value;
};
// RFC 5649, as PKCS #11 v3.0 and as v2.40 call it.
constexpr NamedMechanism kWrappingMechanisms[] = {{"CKM_AES_KEY_WRAP_KWP", 0x210B},
                                                  {"CKM_AES_KEY_WRAP_PAD", 0x210A}};

std::optional<unsigned long> wrapping_mechanism(const TableReader& group) {
  const auto text = group.text("wrapping-mechanism");
  if (!text) return std::nullopt;
  for (const NamedMechanism& mechanism : kWrappingMechanisms) {
    if (*text == mechanism.name) return mechanism.value;
  }
  unsigned long number = 0;
  const bool is_hexadecimal = text->starts_with("0x");
  const char* end = text->data() + text->size();
  if (is_hexadecimal) {
    const auto [rest, error] = std::from_chars(text->data() + 2, end, number, 16);
    if (error == std::errc() && rest == end) return number;
  }
  group.fail("wrapping-mechanism",
             "expected \"CKM_AES_KEY_WRAP_KWP\", \"CKM_AES_KEY_WRAP_PAD\", or a vendor's number as "
             "\"0x80000109\", got \"" +
                 *text + "\"");
}

std::string wrapping_key(const TableReader& group) {
  const auto label = group.text("wrapping-key");
  if (label && label->empty())
    group.fail("wrapping-key", "must not be empty; write the label that the key is to have");
  if (label) return *label;
  for (const std::string_view key : {"wrapping-mechanism", "create-minimum"}) {
    if (group.has(key)) group.fail(key, "needs wrapping-key = \"…\", under which new keys go to the members");
  }
  return {};
}

}  // namespace

GroupSettings read_group(const TableReader& group, const Tokens& tokens, const std::set<std::string>& groups,
                         const std::string& zone) {
  group.allow({"members", "min-active", "balance", "prefer-same-zone", "timeout", "attempt-timeout", "probe",
               "check", "hung-calls", "verify", "wrapping-key", "wrapping-mechanism", "create-minimum"});
  GroupSettings settings;
  settings.members = members(group, tokens, groups);
  settings.min_active = up_to_all(group, "min-active", settings.members.size());
  settings.balance = balance(group);
  settings.same_zone = same_zone(group, settings.members, tokens, zone);
  settings.timeout = group.duration("timeout", kTimeout).value_or(settings.timeout);
  settings.attempt_timeout = attempt_timeout(group, settings.timeout);
  settings.probe_pauses = probe_pauses(group);
  settings.check_interval = group.duration("check", kPause).value_or(settings.check_interval);
  settings.leave_hung_calls = leave_hung_calls(group);
  settings.verify = group.boolean("verify").value_or(settings.verify);
  settings.wrapping_key = wrapping_key(group);
  settings.wrapping_mechanism = wrapping_mechanism(group);
  settings.create_minimum = up_to_all(group, "create-minimum", settings.members.size());
  return settings;
}

}  // namespace keystay::config
