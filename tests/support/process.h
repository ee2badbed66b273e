// Programs that a test runs: to their end, or in the background.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "tests/support/descriptor.h"

namespace keystay::test {

using Arguments = std::vector<std::string>;
using Environment = std::map<std::string, std::string>;

struct RunOptions {
  Environment environment = {};             // besides that of the test; an empty value unsets the variable
  std::string input = {};                   // standard input
  std::chrono::milliseconds limit{60'000};  // then SIGKILL, to the program and what it started
};

struct Outcome {
  int exit_code = -1;      // -1 if a signal ended the program
  int signal = 0;          // the signal that ended it
  bool timed_out = false;  // it was killed at its time limit
  std::string output;      // standard output
  std::string error;       // standard error

  [[nodiscard]] bool ok() const noexcept { return exit_code == 0; }
};

// For failure messages: the status and both texts.
std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

// Runs a program, found by PATH, to its end. Throws std::system_error if it cannot be started.
[[nodiscard]] Outcome run(const Arguments& arguments, const RunOptions& options = {});
// Likewise, and throws std::runtime_error with the program's texts if it fails; returns its standard output.
std::string run_or_throw(const Arguments& arguments, const RunOptions& options = {});

// A program in the background, in a process group of its own. The destructor ends it: SIGTERM, and SIGKILL to
// the whole group after five seconds.
class Process final {
 public:
  explicit Process(const Arguments& arguments, const RunOptions& options = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool running();
  void send(int signal) const;

  // What it has written so far.
  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string error() const;
  // True once one of the two contains `text`; false after `limit`, or when the program ended without it.
  [[nodiscard]] bool wait_for_text(std::string_view text, std::chrono::milliseconds limit);

  // Waits for its end; after `limit` it is killed, and the outcome says so.
  [[nodiscard]] Outcome wait(std::chrono::milliseconds limit);
  // SIGTERM, then as wait().
  [[nodiscard]] Outcome stop(std::chrono::milliseconds limit = std::chrono::seconds(5));

 private:
  bool reap(std::chrono::milliseconds limit);
  void kill_group() const noexcept;
  [[nodiscard]] Outcome outcome(int status) const;

  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  Descriptor output_;
  Descriptor error_;
};

// Runs `body` in a forked child, which ends with _exit as a server's worker may; true if it returned true
// there.
[[nodiscard]] bool true_in_child(const std::function<bool()>& body);

// A TCP port on 127.0.0.1 that was free a moment ago.
[[nodiscard]] std::uint16_t free_port();
// True once a connection to 127.0.0.1:port is accepted; false after `limit`.
[[nodiscard]] bool wait_for_port(std::uint16_t port,
                                 std::chrono::milliseconds limit = std::chrono::seconds(20));

}  // namespace keystay::test
