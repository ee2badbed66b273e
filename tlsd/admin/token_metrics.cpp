#include "tlsd/admin/token_metrics.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

namespace keystay::tlsd {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

struct Load {
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t capacity = 0;
};

// By name: one that a reload has replaced still ends what it has begun.
using Loads = std::map<std::string, Load>;

void add_load(const config::SignerReport* report, void* loads) {
  Load& load = (*static_cast<Loads*>(loads))[report->source];
  load.waiting += report->waiting;
  load.in_flight += report->in_flight;
  load.capacity = std::max(load.capacity, report->capacity);
}

MetricFamily gauge(const char* name, const char* help, const Loads& loads, std::uint64_t Load::*value) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  for (const auto& [source, load] : loads) {
    prometheus::ClientMetric metric;
    metric.label = {{"source", source}};
    metric.gauge.value = static_cast<double>(load.*value);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> TokenMetrics::Collect() const {
  Loads loads;
  library_.report_signers(&add_load, &loads);
  if (loads.empty()) return {};
  return {
      gauge("keystay_token_waiting", "Operations that wait for a session of the token or group", loads,
            &Load::waiting),
      gauge("keystay_token_in_flight", "Operations that the token or group is at", loads, &Load::in_flight),
      gauge("keystay_token_sessions", "Operations that the token or group does at a time", loads,
            &Load::capacity)};
}

}  // namespace keystay::tlsd
