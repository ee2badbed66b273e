#include "tests/keystore-tools/pseudo_terminal.h"

#include <array>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace keystay::tools {

PseudoTerminal::PseudoTerminal(const test::Arguments& arguments, const test::Environment& environment) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int master = -1;
  pid_ = ::forkpty(&master, nullptr, nullptr, nullptr);
  if (pid_ < 0) throw std::runtime_error("forkpty failed");
  if (pid_ == 0) {
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  terminal_ = test::Descriptor(master);
}

PseudoTerminal::~PseudoTerminal() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool PseudoTerminal::read_some() {
  std::array<char, 1024> block;
  const ssize_t count = ::read(terminal_.get(), block.data(), block.size());
  if (count <= 0) return false;  // EIO: nobody has the other side open any more
  screen_.append(block.data(), static_cast<std::size_t>(count));
  return true;
}

bool PseudoTerminal::wait_for_text(std::string_view text) {
  while (screen_.find(text) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

bool PseudoTerminal::echoes() const {
  termios settings{};
  ::tcgetattr(terminal_.get(), &settings);
  return (settings.c_lflag & ECHO) != 0;
}

void PseudoTerminal::wait_for_echo(bool on) const {
  // A terminal announces no change of its settings.
  while (echoes() != on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void PseudoTerminal::type(std::string_view text) const {
  if (::write(terminal_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("the terminal takes no more");
  }
}

int PseudoTerminal::wait() {
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace keystay::tools
