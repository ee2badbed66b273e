// Many clients at a time, on one or two threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/client.h"

namespace keystay::bench {

struct LoadOptions {
  std::string server;  // host:port
  std::string server_name = "localhost";
  TlsOptions tls;
  unsigned clients = 64;  // connections at a time
  unsigned threads = 1;
  std::chrono::milliseconds time_limit{10'000};  // of one connection
};

struct LoadResult {
  std::chrono::duration<double> elapsed{0};
  std::vector<std::chrono::microseconds> handshake_times;
  std::vector<Clock::time_point> begins;          // of these handshakes
  std::uint64_t aborted = 0;                      // connections that were left on purpose
  std::map<std::string, std::uint64_t> failures;  // by reason
  std::chrono::microseconds cpu{0};               // of this process

  [[nodiscard]] std::uint64_t failed() const;
  [[nodiscard]] double per_second() const;
  [[nodiscard]] std::chrono::microseconds quantile(double fraction) const;
};

// Full handshakes, one after the other on each connection slot. What ends within the warm-up is not counted.
[[nodiscard]] LoadResult complete_handshakes(const LoadOptions& options, std::chrono::milliseconds warm_up,
                                             std::chrono::milliseconds duration);

// So many connections that say ClientHello, stay for a random time up to `longest_stay`, and leave: half by
// FIN, half by RST.
[[nodiscard]] LoadResult abort_handshakes(const LoadOptions& options, std::uint64_t count,
                                          std::chrono::microseconds longest_stay);

}  // namespace keystay::bench
