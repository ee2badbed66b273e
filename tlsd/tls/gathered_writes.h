// One segment for what libssl writes in several pieces.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tlsd/execution.h"

namespace keystay::tlsd {

// While it lives, what is written to the socket is held back until it fills a segment, or is followed by the
// end of sending (TCP_CORK, tcp(7)). A socket of another kind is left as it is.
class GatheredWrites final {
 public:
  explicit GatheredWrites(Socket& socket) noexcept : descriptor_(socket.native_handle()) { gather(1); }
  GatheredWrites(const GatheredWrites&) = delete;
  GatheredWrites& operator=(const GatheredWrites&) = delete;
  ~GatheredWrites() { gather(0); }

 private:
  void gather(int on) noexcept {
    static_cast<void>(::setsockopt(descriptor_, IPPROTO_TCP, TCP_CORK, &on, sizeof on));
  }

  int descriptor_;
};

}  // namespace keystay::tlsd
