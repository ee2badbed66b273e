// A blocking TCP connection to or from a test, with a time limit on every read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/descriptor.h"

namespace keystay::test {

class RawSocket final {
 public:
  // To 127.0.0.1:port. Throws std::system_error.
  [[nodiscard]] static RawSocket connect(std::uint16_t port);
  explicit RawSocket(Descriptor descriptor);

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }

  // False once the other side is gone.
  bool write(std::string_view data);
  // What is there, waiting for at least a byte; empty at the end, after a reset, or when nothing came for 30
  // s.
  [[nodiscard]] std::string read_some(std::size_t most = 65536);

  void end_sending();  // FIN
  void reset();        // RST, and closes
  void close();

 private:
  Descriptor descriptor_;
};

}  // namespace keystay::test
