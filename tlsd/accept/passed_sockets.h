// Listening sockets that were opened before the program started: by systemd (sd_listen_fds(3)), or by whoever
// speaks its protocol. They stay open while the program is restarted, so that no client is refused.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "native/config/file_descriptor.h"
#include "tlsd/execution.h"

namespace keystay::tlsd {

class PassedSockets final {
 public:
  // None.
  PassedSockets() = default;

  // Those that LISTEN_FDS counts from descriptor 3 on, where LISTEN_PID is this process. The variables are
  // removed, and programs that are started later do not inherit the sockets. To be called before there are
  // threads. Throws std::runtime_error if what was passed is not a listening TCP socket.
  [[nodiscard]] static PassedSockets from_environment();

  // That which listens on this address, if there is one. Its options are those of who opened it.
  [[nodiscard]] std::optional<config::FileDescriptor> take(const tcp::endpoint& address);

  // Throws std::runtime_error if one was not taken: its clients would wait for ever.
  void expect_none_left() const;

 private:
  std::vector<std::pair<tcp::endpoint, config::FileDescriptor>> sockets_;
};

}  // namespace keystay::tlsd
