// The access logs as Prometheus sees them.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <prometheus/collectable.h>

#include "tlsd/access_log/access_log_file.h"

namespace keystay::tlsd {

// Thread-safe.
class AccessLogMetrics final : public prometheus::Collectable {
 public:
  // Those in use, now and after a reload; the series of others go.
  void use(std::set<std::shared_ptr<AccessLogFile>> files);

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  mutable std::mutex mutex_;
  std::set<std::shared_ptr<AccessLogFile>> files_;
};

}  // namespace keystay::tlsd
