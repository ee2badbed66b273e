#include "keystore-tools/terminal_style.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "native/pkcs11/signals_blocked.h"

namespace keystay::tools {
namespace {

constexpr std::chrono::seconds kFirst{1};
constexpr const char* kEraseLine = "\r\x1b[K";

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value != '\0';
}

bool is_dumb() {
  const char* terminal = std::getenv("TERM");
  return !terminal || std::string_view(terminal) == "dumb";
}

std::string coloured(const char* colour, std::string_view text, TerminalStyle style) {
  if (style == TerminalStyle::plain) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
}

}  // namespace

TerminalStyle style_of_output() {
  const bool colours = ::isatty(STDOUT_FILENO) != 0 && !is_set("NO_COLOR") && !is_dumb();
  return colours ? TerminalStyle::coloured : TerminalStyle::plain;
}

std::string in_red(std::string_view text, TerminalStyle style) { return coloured("31", text, style); }
std::string in_green(std::string_view text, TerminalStyle style) { return coloured("32", text, style); }

Progress::Progress(std::string what) : what_(std::move(what)) {
  if (::isatty(STDERR_FILENO) == 0 || is_dumb()) return;
  const pkcs11::SignalsBlocked blocked;  // they are the main thread's
  thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void Progress::show() {
  std::unique_lock lock(mutex_);
  bool is_shown = false;
  for (auto seconds = kFirst; !ended_.wait_for(lock, kFirst, [this] { return is_ended_; });
       seconds += kFirst) {
    fmt::print(stderr, "{}{} … {} s", kEraseLine, what_, seconds.count());
    static_cast<void>(std::fflush(stderr));
    is_shown = true;
  }
  if (is_shown) fmt::print(stderr, "{}", kEraseLine);
}

}  // namespace keystay::tools
