#include "keystore-tools/terminal.h"

#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "native/config/file_descriptor.h"
#include "native/pkcs11/error.h"

namespace keystay::tools {
namespace {

using config::FileDescriptor;

constexpr std::array kFatalSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What a signal handler needs to give the terminal back.
volatile sig_atomic_t silenced_terminal = -1;
termios original_settings;

void restore_and_die(int signal) {
  if (silenced_terminal >= 0) ::tcsetattr(silenced_terminal, TCSANOW, &original_settings);
  ::raise(signal);  // SA_RESETHAND: now with its own effect
}

// No echo while this object lives, also if Ctrl-C ends the program.
class Silence final {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &original_settings) != 0) return;
    silenced_terminal = terminal;
    struct sigaction action {};
    action.sa_handler = restore_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    for (std::size_t i = 0; i < kFatalSignals.size(); ++i)
      ::sigaction(kFatalSignals[i], &action, &before_[i]);
    termios silent = original_settings;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    ::tcsetattr(terminal, TCSAFLUSH, &silent);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    if (silenced_terminal < 0) return;
    ::tcsetattr(terminal_, TCSAFLUSH, &original_settings);
    silenced_terminal = -1;
    for (std::size_t i = 0; i < kFatalSignals.size(); ++i)
      ::sigaction(kFatalSignals[i], &before_[i], nullptr);
  }

 private:
  int terminal_;
  std::array<struct sigaction, kFatalSignals.size()> before_{};
};

// One line without its end, wiped on destruction.
class Line final {
 public:
  explicit Line(int terminal) {
    ssize_t count = 0;
    do {
      count = ::read(terminal, text_.data(), text_.size());
    } while (count < 0 && errno == EINTR);
    size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    if (size_ > 0 && text_[size_ - 1] == '\n') --size_;
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() { ::explicit_bzero(text_.data(), text_.size()); }

  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 4096> text_;  // the longest line that a terminal hands out
  std::size_t size_ = 0;
};

FileDescriptor open_terminal(std::string_view question) {
  FileDescriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.valid() && ::write(terminal.get(), question.data(), question.size()) < 0)
    return FileDescriptor(-1);
  return terminal;
}

[[noreturn]] void fail(const char* what) { throw pkcs11::Error(pkcs11::ErrorClass::authentication, what); }

}  // namespace

pkcs11::Pin ask_pin(std::string_view question) {
  const FileDescriptor terminal = open_terminal(question);
  if (!terminal.valid()) {
    fail(
        "the PIN is to be asked for, but there is no terminal; use -storepass:file FILE, or pin = "
        "\"file:…\"");
  }
  const Silence silence(terminal.get());
  const Line line(terminal.get());
  if (line.text().empty()) fail("no PIN was given");
  return pkcs11::Pin(line.text(), "what was typed");
}

Answer ask(std::string_view question) {
  const FileDescriptor terminal = open_terminal(question);
  if (!terminal.valid()) return Answer::nobody;
  const Line line(terminal.get());
  return line.text() == "y" || line.text() == "yes" ? Answer::yes : Answer::no;
}

bool is_at_terminal() { return ::isatty(STDIN_FILENO) == 1; }

}  // namespace keystay::tools
