// Small files: read whole, and replaced so that a reader or a crash never meets half of one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace keystay::config {

// Whether nothing has this name. What cannot be looked at is not absent, nor is a link that leads nowhere:
// reading such a file tells what is wrong with it.
[[nodiscard]] bool is_absent(const std::filesystem::path& file) noexcept;

// Throws std::system_error.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);
// The same; nothing if it is no regular file, such as a pipe, for whose writer it would wait.
[[nodiscard]] std::optional<std::string> read_regular_file(const std::filesystem::path& file);

// Writes a new file beside the old one, syncs it, renames it over the old one and syncs the directory. The
// file gets exactly the permissions `mode`. Throws std::system_error; the old file is untouched then.
void replace_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

}  // namespace keystay::config
