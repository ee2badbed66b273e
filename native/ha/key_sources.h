// The key sources of a process: the tokens of the configuration, and its groups.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/configuration.h"
#include "native/config/pin_source.h"
#include "native/ha/followed_file.h"
#include "native/ha/health.h"
#include "native/ha/member_token.h"
#include "native/ha/notice.h"
#include "native/ha/verified_operations.h"
#include "native/keys/tokens.h"

namespace keystay::ha {

// What groups have of their front door.
struct GroupServices {
  Notice notice = write_to_system_log;
  Verifier verifier{};  // for those with `verify = true`; empty: nothing is verified
  // Reads keystay.toml again, from an absolute path, on a thread of the group: the groups follow the file
  // that they were read from (FollowedFile). Empty: they stay as they are.
  FollowedFile::Reader reader{};
};

// As keys::Tokens, with a source for each [group.NAME]. A group that `before` has with the same settings, of
// the same tokens, is taken from there, with what is known of its members.
[[nodiscard]] std::unique_ptr<keys::Tokens> key_sources(config::Configuration configuration,
                                                        config::PinPrompt prompt,
                                                        std::optional<keys::WholeModule> whole_module = {},
                                                        const keys::Tokens* before = nullptr,
                                                        const GroupServices& services = {});

// What a group is made of, for those who work on its members one by one.
struct GroupDescription {
  std::string name;
  std::size_t min_active = 0;
  std::vector<MemberToken> members;  // in their order
  std::string wrapping_key;          // as of config::GroupSettings
};
// Nothing if no group has this name.
[[nodiscard]] std::optional<GroupDescription> describe_group(const keys::Tokens& tokens,
                                                             std::string_view name);

// Of all groups that were used in this process or not, in the order of their names.
[[nodiscard]] std::vector<GroupStatus> group_states(const keys::Tokens& tokens);

}  // namespace keystay::ha
