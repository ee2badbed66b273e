// Lines that clients can cause, at most twenty a second, so that failing handshakes do not fill the disk. How
// many were left out is said at the end of the second, also where no other line follows.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <prometheus/counter.h>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// Of one listener on one thread.
class ClientLog final {
 public:
  // Counts what is left out in `left_out`, too.
  ClientLog(std::string listener, Executor executor, prometheus::Counter& left_out)
      : listener_(std::move(listener)), left_out_(left_out), second_end_(executor) {}

  void write(const tcp::endpoint& client, std::string_view what);  // the client's doing
  void warn(const tcp::endpoint& client, std::string_view what);   // that of a server behind

  // Says now what is left to say: no line follows.
  void end();

 private:
  [[nodiscard]] bool has_room();
  void leave_out();
  void tell_left_out();

  static constexpr std::size_t kLinesPerSecond = 20;

  std::string listener_;
  prometheus::Counter& left_out_;
  Timer second_end_;  // runs while lines of this second are left out
  Clock::time_point second_{};
  std::size_t lines_ = 0;
  std::size_t suppressed_ = 0;
};

}  // namespace keystay::tlsd
