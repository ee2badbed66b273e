#include "tlsd/admin/status.h"

#include <map>
#include <numeric>
#include <span>

#include <fmt/format.h>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include "native/config/endpoint.h"
#include "tlsd/json_writer.h"

namespace keystay::tlsd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

double seconds_since_epoch(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.name(name);
  json.begin_array();
  for (const std::string& text : texts) json.value(std::string_view(text));
  json.end_array();
}

void add_listener(JsonWriter& json, const config::ListenerSettings& listener) {
  std::vector<std::string> addresses;
  for (const config::Endpoint& bound : listener.bind) addresses.push_back(config::format_endpoint(bound));
  for (const std::string& path : listener.sockets) addresses.push_back("unix:" + path);
  json.begin_object();
  json.member("name", std::string_view(listener.name));
  json.member("mode", listener.redirect                            ? "redirect"
                      : listener.mode == config::ListenerMode::tcp ? "tcp"
                                                                   : "http");
  add_texts(json, "bind", addresses);
  add_texts(json, "certificates", listener.certificates);
  json.member("backend", std::string_view(listener.backend));
  json.end_object();
}

void add_certificate(JsonWriter& json, const Certificate& certificate) {
  const char* type = EVP_PKEY_get0_type_name(certificate.key.get());
  json.begin_object();
  json.member("name", std::string_view(certificate.name));
  add_texts(json, "dns_names", certificate.dns_names);
  json.member("key", std::string_view(fmt::format("{} {}", type != nullptr ? type : "?",
                                                  EVP_PKEY_get_bits(certificate.key.get()))));
  json.member("on_token", certificate.on_token());
  json.member("not_after", seconds_since_epoch(certificate.not_after));
  json.member("expires_first", std::string_view(certificate.expires_first));
  json.end_object();
}

void add_missing(JsonWriter& json, const MissingCertificate& missing) {
  json.begin_object();
  json.member("name", std::string_view(missing.name));
  json.member("reason", std::string_view(missing.reason));
  json.end_object();
}

// Each once, whoever uses it.
void add_backends(JsonWriter& json, const Snapshot& snapshot) {
  for (const auto& backend : snapshot.backends) {
    std::vector<std::string> servers;
    for (const ServerPlace& place : backend->places()) servers.push_back(place.name);
    json.begin_object();
    json.member("name", std::string_view(backend->name()));
    add_texts(json, "servers", servers);
    json.end_object();
  }
}

void add_member_of_group(const config::GroupMemberReport* member, void* argument) {
  auto& json = *static_cast<JsonWriter*>(argument);
  const std::span failed(member->failed, member->errors);
  json.begin_object();
  json.member("group", member->group);
  json.member("member", member->member);
  json.member("zone", member->zone);
  json.member("service", member->service);
  json.member("reason", member->reason);
  json.member("in_service", member->in_service != 0);
  json.member("active", member->active != 0);
  json.member("in_flight", member->in_flight);
  json.member("latency", member->latency);
  json.member("succeeded", member->succeeded);
  json.member("failed", std::accumulate(failed.begin(), failed.end(), std::uint64_t{0}));
  json.end_object();
}

void add_labels(JsonWriter& json, const ClientMetric& metric) {
  json.name("labels");
  json.begin_object();
  for (const auto& label : metric.label) json.member(label.name, std::string_view(label.value));
  json.end_object();
}

// The bound of the last bucket, which is infinite, is null.
void add_histogram(JsonWriter& json, const ClientMetric::Histogram& histogram) {
  json.member("count", histogram.sample_count);
  json.member("sum", histogram.sample_sum);
  json.name("buckets");
  json.begin_array();
  for (const auto& bucket : histogram.bucket) {
    json.begin_array();
    json.value(bucket.upper_bound);
    json.value(bucket.cumulative_count);
    json.end_array();
  }
  json.end_array();
}

void add_family(JsonWriter& json, const MetricFamily& family) {
  json.name(family.name);
  json.begin_array();
  for (const ClientMetric& metric : family.metric) {
    json.begin_object();
    add_labels(json, metric);
    if (family.type == MetricType::Histogram) {
      add_histogram(json, metric.histogram);
    } else {
      json.member("value", family.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value);
    }
    json.end_object();
  }
  json.end_array();
}

template <typename Add>
void add_array(JsonWriter& json, std::string_view name, Add add) {
  json.name(name);
  json.begin_array();
  add();
  json.end_array();
}

}  // namespace

std::string Status::json() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("version", KEYSTAY_VERSION);
  json.member("started", seconds_since_epoch(started_));
  json.member("time", seconds_since_epoch(std::chrono::system_clock::now()));
  json.member("stopping", stopping_);
  add_array(json, "listeners", [&] {
    for (const auto& listener : snapshot_->listeners) add_listener(json, listener->settings);
  });
  add_array(json, "certificates", [&] {
    for (const auto& certificate : snapshot_->certificates) add_certificate(json, *certificate);
  });
  add_array(json, "missing", [&] {
    for (const auto& missing : snapshot_->missing) add_missing(json, missing);
  });
  add_array(json, "backends", [&] { add_backends(json, *snapshot_); });
  add_array(json, "groups", [&] { library_.report_groups(&add_member_of_group, &json); });
  json.name("metrics");
  json.begin_object();
  for (const MetricFamily& family : metrics_.collect()) add_family(json, family);
  json.end_object();
  json.end_object();
  return text;
}

}  // namespace keystay::tlsd
