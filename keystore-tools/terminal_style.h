// Colours, where a person reads at a terminal; and the sign that something takes its time.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace keystay::tools {

enum class TerminalStyle { plain, coloured };

// Of standard output: coloured on a terminal, unless NO_COLOR is set (no-color.org) or TERM is "dumb".
[[nodiscard]] TerminalStyle style_of_output();

[[nodiscard]] std::string in_red(std::string_view text, TerminalStyle style);
[[nodiscard]] std::string in_green(std::string_view text, TerminalStyle style);

// While it lives, and after a second: what is being done, and for how long, on a line of standard error that
// goes with it. Nothing where standard error is no terminal.
class Progress final {
 public:
  explicit Progress(std::string what);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

 private:
  void show();

  std::string what_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ended_ = false;  // guarded by mutex_
  std::thread thread_;     // none where nothing is shown
};

}  // namespace keystay::tools
