// The file through which orders reach the fault module.
#pragma once

#include <filesystem>

#include <sys/types.h>

#include "tests/support/fault_module/control_block.h"

namespace keystay::test {

// Mapped until the process ends, not until the object does: the fault module may look into it at any time.
class ControlFile final {
 public:
  // Without any order. Throws std::system_error where the file is there already.
  [[nodiscard]] static ControlFile create(std::filesystem::path path, mode_t mode);
  // Made by another process.
  [[nodiscard]] static ControlFile open(std::filesystem::path path);

  [[nodiscard]] ControlBlock& block() const noexcept { return *block_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  ControlFile(std::filesystem::path path, ControlBlock& block) : path_(std::move(path)), block_(&block) {}

  std::filesystem::path path_;
  ControlBlock* block_;
};

}  // namespace keystay::test
