#include "tlsd/admin/access_log_metrics.h"

#include <utility>

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

namespace keystay::tlsd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

void add(MetricFamily& family, const std::string& target, std::uint64_t count) {
  ClientMetric metric;
  metric.label = {{"log", target}};
  metric.counter.value = static_cast<double>(count);
  family.metric.push_back(std::move(metric));
}

}  // namespace

void AccessLogMetrics::use(std::set<std::shared_ptr<AccessLogFile>> files) {
  const std::scoped_lock lock(mutex_);
  files_ = std::move(files);
}

std::vector<MetricFamily> AccessLogMetrics::Collect() const {
  const std::scoped_lock lock(mutex_);
  if (files_.empty()) return {};
  MetricFamily lines{"keystay_tlsd_access_log_lines_total",
                     "Lines of the access log that were written",
                     MetricType::Counter,
                     {}};
  MetricFamily left_out{"keystay_tlsd_access_log_lines_left_out_total",
                        "Lines of the access log that were lost: it could not be written, or not fast enough",
                        MetricType::Counter,
                        {}};
  for (const auto& file : files_) {
    add(lines, file->target(), file->lines());
    add(left_out, file->target(), file->left_out());
  }
  return {std::move(lines), std::move(left_out)};
}

}  // namespace keystay::tlsd
