// What tlsd writes to its log while this object lives.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace keystay::test {

class LogCapture final {
 public:
  LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture();  // the log goes where it went before

  // "warning: …" per line.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] int count(std::string_view part) const;
  // Waits until it is there, at most 30 s: another thread may be on its way to write it.
  [[nodiscard]] bool wait_for(std::string_view part) const;

 private:
  class Sink;

  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace keystay::test
