// `members` of [group.NAME] changed where it stands in a keystay.toml that somebody wrote by hand.
//
// Each function takes the text of the file and returns it changed. What is not between the brackets of
// `members` stays byte for byte; so do comments between them, where they are. `file` is for messages. Throws
// Error as parse_configuration(): of the text as it is, and of what it would be; and for a change that makes
// no sense.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace keystay::config {

// In the last place, which is the one of the lowest priority.
[[nodiscard]] std::string with_member(std::string_view toml, const std::filesystem::path& file,
                                      std::string_view group, const std::string& member);

// Where the group was the default because all tokens were in it, `default` is written as the first line: bare
// aliases go on to be the group's.
[[nodiscard]] std::string without_member(std::string_view toml, const std::filesystem::path& file,
                                         std::string_view group, const std::string& member);

// `order` names each member once.
[[nodiscard]] std::string with_order(std::string_view toml, const std::filesystem::path& file,
                                     std::string_view group, const std::vector<std::string>& order);

}  // namespace keystay::config
