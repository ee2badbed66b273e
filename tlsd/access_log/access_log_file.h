// One file, or standard stream, that lines of access logs go to, whoever writes them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace keystay::tlsd {

// Lines wait in a buffer for a thread that writes them, so that no one else ever waits for a disk or a pipe.
// Those for which the buffer has no room are left out, and counted. Thread-safe.
class AccessLogFile final {
 public:
  static constexpr std::size_t kBuffer = 1024 * 1024;

  // The path of a file, which is made if it is not there, or "stderr" or "stdout". Throws std::runtime_error.
  explicit AccessLogFile(const std::string& target);
  AccessLogFile(const AccessLogFile&) = delete;
  AccessLogFile& operator=(const AccessLogFile&) = delete;
  // What waits is written by the thread, which nobody waits for, and which then ends.
  ~AccessLogFile();

  // A line with its end.
  void write(std::string_view line) noexcept;
  // Counts one that could not be made.
  void leave_out() noexcept;

  // The file of this name is opened again, since the one that was may have been renamed. What was written
  // before goes to the old one. If it cannot be opened, the log says so and the old one stays.
  void reopen() noexcept;

  // Waits until all lines so far are in the file, or for `limit`.
  void flush(std::chrono::milliseconds limit);

  [[nodiscard]] const std::string& target() const noexcept;
  // So far; what was left out are not among the lines.
  [[nodiscard]] std::uint64_t lines() const noexcept;
  [[nodiscard]] std::uint64_t left_out() const noexcept;

 private:
  class Writer;

  std::shared_ptr<Writer> writer_;  // its thread has it, too
};

// Whether a server could write there; makes no file. Throws std::runtime_error.
void expect_writable(const std::string& target);

}  // namespace keystay::tlsd
