#include "tlsd/admin/group_metrics.h"

#include <string>
#include <utility>

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

namespace keystay::tlsd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// In the order in which they are written.
class Families final {
 public:
  void add(const config::GroupMemberReport& member) {
    const Labels labels{{"group", member.group}, {"member", member.member}};
    gauge("in_service", "1 while the member takes operations", labels, member.in_service);
    gauge("active", "1 while the member shares the work; 0 while it stands by or is out of service", labels,
          member.active);
    gauge("in_flight", "Operations that the member is at", labels, static_cast<double>(member.in_flight));
    gauge("left_calls", "Calls that did not return in time, and have not returned since", labels,
          static_cast<double>(member.left_calls));
    gauge("lacking_keys", "Keys in use that the member does not have", labels,
          static_cast<double>(member.lacking_keys));
    gauge("latency_seconds", "Time of the latest operations, smoothed", labels, member.latency);
    counter("out_of_service_seconds_total", "Time out of service, in sum", labels, member.out_of_service);
    counter("operations_total", "Operations that succeeded", labels, static_cast<double>(member.succeeded));
    counter("replays_total", "Operations that went on to another member", labels,
            static_cast<double>(member.replayed));
    for (std::uint64_t i = 0; i < member.errors; ++i) {
      Labels with_class = labels;
      with_class.push_back({"class", member.error_classes[i]});
      counter("errors_total", "Operations that failed, by the class of the error", with_class,
              static_cast<double>(member.failed[i]));
    }
  }

  [[nodiscard]] std::vector<MetricFamily> take() { return std::move(families_); }

 private:
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    const std::string full = std::string("keystay_group_member_") + name;
    for (MetricFamily& known : families_) {
      if (known.name == full) return known;
    }
    return families_.emplace_back(MetricFamily{full, help, type, {}});
  }

  void gauge(const char* name, const char* help, const Labels& labels, double value) {
    ClientMetric metric;
    metric.label = labels;
    metric.gauge.value = value;
    family(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }

  void counter(const char* name, const char* help, const Labels& labels, double value) {
    ClientMetric metric;
    metric.label = labels;
    metric.counter.value = value;
    family(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }

  std::vector<MetricFamily> families_;
};

void add_member(const config::GroupMemberReport* member, void* families) {
  static_cast<Families*>(families)->add(*member);
}

}  // namespace

std::vector<MetricFamily> GroupMetrics::Collect() const {
  Families families;
  library_.report_groups(&add_member, &families);
  return families.take();
}

}  // namespace keystay::tlsd
