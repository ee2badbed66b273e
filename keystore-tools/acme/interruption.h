// Ctrl-C and the end of a service in the middle of an order: what was published is withdrawn, and a key that
// was made for it destroyed, before the process ends.
#pragma once

#include <chrono>
#include <memory>

namespace keystay::tools::acme {

// While it lives, the first SIGINT, SIGTERM or SIGHUP is only noted; a second one has its own effect. One at
// a time.
class Interruption final {
 public:
  Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

  [[nodiscard]] static bool was_requested() noexcept;
  // Throws Failure if it was.
  static void check();
  // Sleeps; throws Failure as soon as it is.
  static void sleep(std::chrono::milliseconds duration);

 private:
  struct Handlers;
  std::unique_ptr<Handlers> before_;
};

}  // namespace keystay::tools::acme
