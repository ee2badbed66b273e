// The keystay.toml that a group follows while it is used: its members and settings change with the file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "native/config/configuration.h"
#include "native/config/file_stamp.h"
#include "native/config/pin_source.h"
#include "native/ha/group_makeup.h"
#include "native/ha/notice.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/fork_lock.h"

namespace keystay::ha {

// What is told of one group:
// - its own section, and the `zone` at the top of the file;
// - [token.NAME] of its members. A member whose section is as it was keeps its source and with it its
//   sessions; one whose section has changed is another member from then on.
//
// A file that has changed is read when it was left alone from one look to the next, so that nobody reads half
// of what an editor writes. One that cannot be used is told of once, and the group stays as it is.
//
// Each process looks for itself. What a process knows when it forks, its child knows.
class FollowedFile final {
 public:
  using Reader = std::function<config::Configuration(const std::filesystem::path&)>;

  // `tokens` has the group, as `tokens.configuration().file` described it just now.
  FollowedFile(std::string group, Reader read, config::PinPrompt prompt, Notice notice,
               const keys::Tokens& tokens);

  enum class Patience {
    none,   // what has changed is read at once: nothing is in use that could be changed too early
    usual,  // see above
  };
  // The group as the file describes it now; nothing as long as it is `known`. Calls no module. By one thread
  // of a process at a time.
  [[nodiscard]] std::optional<GroupMakeup> look(const GroupMakeup& known, Patience patience);

 private:
  struct State {
    config::FileStamp taken;  // of the file that was read last, whatever came of it
    config::FileStamp seen;   // at the last look
    std::shared_ptr<const keys::Tokens> members;
  };

  [[nodiscard]] std::optional<GroupMakeup> read_again(State& state, const GroupMakeup& known) const;
  [[nodiscard]] config::Configuration read_file() const;
  void tell_of(const GroupMakeup& before, const GroupMakeup& now) const;

  const std::string group_;
  const Reader read_;
  const config::PinPrompt prompt_;
  const Notice notice_;
  const std::filesystem::path file_;  // absolute: programs change their directory
  State state_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
};

// The members of the group, in their order, of `tokens`.
[[nodiscard]] GroupMakeup makeup_of(const std::string& group, const keys::Tokens& tokens);

}  // namespace keystay::ha
