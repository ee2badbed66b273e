// keystay-handshakes: full TLS handshakes against a server, as many at a time as one wants.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "tests/bench/load.h"

namespace keystay::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int kFailed = 1;

struct CommandLine {
  LoadOptions load;
  double seconds = 5;
  double warm_up = 1;
  std::uint64_t abort = 0;
  double stay_ms = 10;
  bool columns = false;
  std::filesystem::path timeline;
};

milliseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds));
}

double in_ms(microseconds time) { return std::chrono::duration<double, std::milli>(time).count(); }

void print(const LoadResult& result) {
  const double busy = std::chrono::duration<double>(result.cpu) / result.elapsed;
  if (result.aborted > 0) {
    fmt::print("{} handshakes aborted in {:.1f} s\n", result.aborted, result.elapsed.count());
  } else {
    fmt::print("{:.0f} handshakes/s; p50 {:.2f} ms, p95 {:.2f} ms, p99 {:.2f} ms\n", result.per_second(),
               in_ms(result.quantile(0.5)), in_ms(result.quantile(0.95)), in_ms(result.quantile(0.99)));
  }
  fmt::print("{} failed; the clients kept {:.2f} processors busy\n", result.failed(), busy);
  for (const auto& [reason, count] : result.failures) fmt::print("  {} times: {}\n", count, reason);
}

// For scripts: handshakes per second, p50, p95 and p99 in milliseconds, failures.
void print_columns(const LoadResult& result) {
  fmt::print("{:.1f}\t{:.2f}\t{:.2f}\t{:.2f}\t{}\n", result.per_second(), in_ms(result.quantile(0.5)),
             in_ms(result.quantile(0.95)), in_ms(result.quantile(0.99)), result.failed());
}

// A line for each handshake: when it began, in seconds of the system's clock, and how long it took in
// milliseconds.
void write_timeline(const LoadResult& result, const std::filesystem::path& file) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Clock::time_point steady_now = Clock::now();
  std::ofstream lines(file);
  for (std::size_t i = 0; i < result.begins.size(); ++i) {
    const std::chrono::duration<double> begin = now - (steady_now - result.begins[i]);
    lines << fmt::format("{:.6f}\t{:.3f}\n", begin.count(), in_ms(result.handshake_times[i]));
  }
  if (!lines.flush()) throw std::runtime_error("cannot write " + file.string());
}

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Full TLS handshakes against a server, without resumption.", "keystay-handshakes");
  app.add_option("server", line.load.server, "host:port")->required();
  app.add_option("--name", line.load.server_name, "server name in the ClientHello")->capture_default_str();
  app.add_option("--clients", line.load.clients, "connections at a time")->capture_default_str();
  app.add_option("--threads", line.load.threads)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seconds", line.seconds, "how long to measure")->capture_default_str();
  app.add_option("--warm-up", line.warm_up, "seconds before, which do not count")->capture_default_str();
  app.add_option("--tls", line.load.tls.version, "1.2 or 1.3")->capture_default_str();
  app.add_option("--groups", line.load.tls.groups)->capture_default_str();
  app.add_option("--sigalgs", line.load.tls.signature_algorithms, "to choose between RSA and EC keys");
  app.add_option("--abort", line.abort, "instead: so many clients that leave after their ClientHello");
  app.add_option("--stay", line.stay_ms, "milliseconds until they leave, at most")->capture_default_str();
  app.add_flag("--columns", line.columns, "handshakes/s, p50, p95, p99 (ms), failures; tab-separated");
  app.add_option("--timeline", line.timeline,
                 "a file for the begin (seconds since 1970) and length (ms) of each");
  CLI11_PARSE(app, argc, argv);

  if (line.abort > 0) {
    const auto stay = std::chrono::duration<double, std::milli>(line.stay_ms);
    const LoadResult result =
        abort_handshakes(line.load, line.abort, std::chrono::duration_cast<microseconds>(stay));
    print(result);
    return result.failed() == 0 ? 0 : kFailed;
  }
  const LoadResult result =
      complete_handshakes(line.load, from_seconds(line.warm_up), from_seconds(line.seconds));
  if (!line.timeline.empty()) write_timeline(result, line.timeline);
  if (line.columns) {
    print_columns(result);
  } else {
    print(result);
  }
  return result.failed() == 0 ? 0 : kFailed;
}

}  // namespace
}  // namespace keystay::bench

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up is a failure to count
  try {
    return keystay::bench::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "keystay-handshakes: {}\n", error.what());
    return keystay::bench::kFailed;
  }
}
