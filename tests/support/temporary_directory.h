// A directory that lives as long as the object.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace keystay::test {

class TemporaryDirectory final {
 public:
  TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();  // removes everything in it; not in a forked child

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  // Writes a file in it that only its owner can read, and returns its path.
  std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const;

 private:
  std::filesystem::path path_;
  pid_t owner_;
};

// The whole file as text. Throws std::runtime_error.
[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace keystay::test
