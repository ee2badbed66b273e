// Small files: read whole, and replaced so that a reader or a crash never meets half of one.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "native/config/file_descriptor.h"

namespace keystay::config {

// Whether nothing has this name. What cannot be looked at is not absent, nor is a link that leads nowhere:
// reading such a file tells what is wrong with it.
[[nodiscard]] bool is_absent(const std::filesystem::path& file) noexcept;

// Throws std::system_error.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);
// The same; nothing if it is no regular file, such as a pipe, for whose writer it would wait.
[[nodiscard]] std::optional<std::string> read_regular_file(const std::filesystem::path& file);

// Writes a file where nothing has this name, and syncs it. It has exactly the permissions `mode`, and is
// shown under its name when it is whole. Throws std::system_error, with EEXIST if something has the name;
// nothing is left then.
void create_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

// Writes a new file beside the old one, syncs it, renames it over the old one and syncs the directory. The
// file gets exactly the permissions `mode`. Throws std::system_error; the old file is untouched then.
void replace_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

// Replaces the content of a file that exists by what `change` makes of it, likewise; if that is the same,
// nothing is written. Permissions, owner and group stay, and a link to the file stays a link. Only one
// process at a time is between reading and writing. Throws std::system_error, and what `change` throws; the
// file is untouched then.
void change_file(const std::filesystem::path& file,
                 const std::function<std::string(const std::string&)>& change);

// The file that a link leads to; any other file is itself.
[[nodiscard]] std::filesystem::path link_target(const std::filesystem::path& file);

// An exclusive lock on the directory of a file, as long as the descriptor is open. The file itself cannot
// carry it: its replacement is another inode. Throws std::system_error.
[[nodiscard]] FileDescriptor lock_directory_of(const std::filesystem::path& file);

}  // namespace keystay::config
