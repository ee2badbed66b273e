// A program at a terminal, and the person in front of it.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "tests/support/descriptor.h"
#include "tests/support/process.h"

namespace keystay::tools {

class PseudoTerminal final {
 public:
  // Starts the program with this terminal as its controlling one and as all its standard streams.
  PseudoTerminal(const test::Arguments& arguments, const test::Environment& environment);
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  ~PseudoTerminal();

  // Reads the screen until the text stands there; false if the program ends before.
  [[nodiscard]] bool wait_for_text(std::string_view text);
  // Waits until the terminal shows what is typed, or does not.
  void wait_for_echo(bool on) const;
  [[nodiscard]] bool echoes() const;

  void type(std::string_view text) const;

  // Reads the rest of the screen and returns the exit code; -1 if a signal ended the program.
  [[nodiscard]] int wait();
  [[nodiscard]] const std::string& screen() const noexcept { return screen_; }

 private:
  bool read_some();

  test::Descriptor terminal_;
  pid_t pid_ = -1;
  std::string screen_;
};

}  // namespace keystay::tools
