// Counts the bytes of a connection of HTTP as they pass, not only at its end.
#pragma once

#include <cstdint>
#include <utility>

#include "tlsd/admin/metrics.h"
#include "tlsd/tls/tls_stream.h"

namespace keystay::tlsd {

class HttpBytes final {
 public:
  HttpBytes(const TlsStream& stream, ListenerMetrics& metrics) : stream_(stream), metrics_(metrics) {}

  // What has passed since the last call.
  void count() {
    const std::uint64_t read = stream_.bytes_read() - std::exchange(read_, stream_.bytes_read());
    const std::uint64_t written = stream_.bytes_written() - std::exchange(written_, stream_.bytes_written());
    metrics_.http_bytes(read, written);
  }

 private:
  const TlsStream& stream_;
  ListenerMetrics& metrics_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace keystay::tlsd
