// The access log of one listener on one thread: a line for each request, or for each connection of mode tcp.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "native/config/access_log_settings.h"
#include "tlsd/access_log/access_log_file.h"
#include "tlsd/access_log/access_record.h"

namespace keystay::tlsd {

class AccessLog final {
 public:
  explicit AccessLog(std::string listener) : listener_(std::move(listener)) {}

  // From now on; a null file: nothing is written.
  void use(std::shared_ptr<AccessLogFile> file, config::AccessLogFormat format);

  // What a record is made of need not be gathered otherwise.
  [[nodiscard]] bool active() const noexcept { return file_ != nullptr; }
  // Allocates nothing once it has written a line as long. Without memory the line is left out.
  void write(const AccessRecord& record) noexcept;

 private:
  const std::string listener_;
  std::shared_ptr<AccessLogFile> file_;
  config::AccessLogFormat format_ = config::AccessLogFormat::combined;
  std::string line_;  // the last one
};

}  // namespace keystay::tlsd
