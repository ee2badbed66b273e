#include "native/ha/followed_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "native/config/error.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;
using config::FileStamp;

// A file system's clock may be as coarse as this: what was written later may have the same stamp.
constexpr auto kStampResolution = 2s;

// Of a file that was read just now: as if it had not been, if it is so new that it may have changed since.
FileStamp stamp_of_what_was_read(const std::filesystem::path& file) {
  const FileStamp stamp = config::stamp_of(file);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return stamp.changed + kStampResolution < now ? stamp : FileStamp();
}

// The members' tokens alone: what else the file has, this process has opened or will never use.
config::Configuration only_members(const config::Configuration& configuration, const std::string& group) {
  config::Configuration members;
  members.file = configuration.file;
  const config::GroupSettings& settings = configuration.groups.at(group);
  for (const std::string& name : settings.members)
    members.tokens.emplace(name, configuration.tokens.at(name));
  members.groups.emplace(group, settings);
  return members;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// The user that a server works as is seldom the one that edits the file, and may see another root directory.
std::string cannot_read(const std::filesystem::path& file, int error) {
  const std::string why = file.string() + ": " + std::generic_category().message(error);
  const std::string otherwise = ", or restart the server after each change of it";
  if (error != EACCES) return why + "; put it back" + otherwise;
  return why + " for the user with the ID " + std::to_string(::geteuid()) +
         "; let a group of this user read it and enter its directory" + otherwise;
}

}  // namespace

GroupMakeup makeup_of(const std::string& group, const keys::Tokens& tokens) {
  const config::Configuration& configuration = tokens.configuration();
  GroupMakeup makeup{configuration.groups.at(group), {}};
  for (const std::string& name : makeup.settings.members)
    makeup.tokens.push_back({name, configuration.tokens.at(name).zone, tokens.source(name)});
  return makeup;
}

FollowedFile::FollowedFile(std::string group, Reader read, config::PinPrompt prompt, Notice notice,
                           const keys::Tokens& tokens)
    : group_(std::move(group)),
      read_(std::move(read)),
      prompt_(std::move(prompt)),
      notice_(std::move(notice)),
      file_(std::filesystem::absolute(tokens.configuration().file)),
      state_{stamp_of_what_was_read(file_),
             {},
             std::make_shared<const keys::Tokens>(only_members(tokens.configuration(), group_), prompt_,
                                                  std::nullopt, &tokens)} {}

std::optional<GroupMakeup> FollowedFile::look(const GroupMakeup& known, Patience patience) {
  State state;
  {
    const pkcs11::ForkLock lock;
    state = state_;
  }
  const FileStamp stamp = config::stamp_of(file_);
  const bool is_settled = stamp == std::exchange(state.seen, stamp) || patience == Patience::none;
  std::optional<GroupMakeup> now;
  if (stamp != state.taken && is_settled) {
    state.taken = stamp;
    now = read_again(state, known);
  }
  const pkcs11::ForkLock lock;
  std::swap(state_, state);  // what it was ends behind the lock
  return now;
}

std::optional<GroupMakeup> FollowedFile::read_again(State& state, const GroupMakeup& known) const {
  try {
    const config::Configuration configuration = read_file();
    if (!configuration.groups.contains(group_))
      throw config::Error(file_.string() + ": there is no section [group." + group_ + "] any more");
    auto members = std::make_shared<const keys::Tokens>(only_members(configuration, group_), prompt_,
                                                        std::nullopt, state.members.get());
    GroupMakeup now = makeup_of(group_, *members);
    state.members = std::move(members);
    if (now == known) return std::nullopt;
    tell_of(known, now);
    return now;
  } catch (const std::exception& error) {
    notice_("group \"" + group_ + "\" stays as it is, since a changed file cannot be used: " + error.what());
    return std::nullopt;
  }
}

config::Configuration FollowedFile::read_file() const {
  if (::faccessat(AT_FDCWD, file_.c_str(), R_OK, AT_EACCESS) != 0)
    throw config::Error(cannot_read(file_, errno));
  return read_(file_);
}

void FollowedFile::tell_of(const GroupMakeup& before, const GroupMakeup& now) const {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  for (const std::string& name : now.settings.members)
    if (!has(before.settings.members, name)) added.push_back(name);
  for (const std::string& name : before.settings.members)
    if (!has(now.settings.members, name)) removed.push_back(name);
  notice_("group \"" + group_ + "\" is from now on as " + file_.string() + " says: members " +
          joined(now.settings.members) + (added.empty() ? "" : "; new: " + joined(added)) +
          (removed.empty() ? "" : "; removed: " + joined(removed)));
}

}  // namespace keystay::ha
