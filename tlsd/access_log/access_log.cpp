#include "tlsd/access_log/access_log.h"

#include <exception>
#include <utility>

#include "tlsd/access_log/access_format.h"

namespace keystay::tlsd {
namespace {

// A few requests have lines of many kilobytes; their memory is not kept.
constexpr std::size_t kMostKept = 4096;

}  // namespace

void AccessLog::use(std::shared_ptr<AccessLogFile> file, config::AccessLogFormat format) {
  file_ = std::move(file);
  format_ = format;
}

void AccessLog::write(const AccessRecord& record) noexcept {
  if (!file_) return;
  try {
    line_.clear();
    if (format_ == config::AccessLogFormat::json) {
      append_json(line_, listener_, record);
    } else {
      append_combined(line_, listener_, record);
    }
    line_.push_back('\n');
    file_->write(line_);
    if (line_.capacity() > kMostKept) line_ = {};
  } catch (const std::exception&) {
    file_->leave_out();
  }
}

}  // namespace keystay::tlsd
