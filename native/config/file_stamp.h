// By what a file is told from the one that had its name before, without reading it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace keystay::config {

// stat(2): of the file that the name leads to.
struct FileStamp {
  int error = 0;  // errno where it cannot be looked at; all else is 0 then
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::chrono::nanoseconds changed{0};  // since the epoch: st_ctim, which nobody sets back
  std::chrono::nanoseconds written{0};  // st_mtim

  bool operator==(const FileStamp&) const = default;
};

[[nodiscard]] FileStamp stamp_of(const std::filesystem::path& file) noexcept;

}  // namespace keystay::config
