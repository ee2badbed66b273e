#include "tlsd/admin/metrics.h"

#include <utility>
#include <vector>

#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>

namespace keystay::tlsd {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Registry;

// 100 µs to 3.3 s, doubling.
std::vector<double> sign_wait_buckets() {
  std::vector<double> bounds;
  for (double bound = 0.0001; bound < 3.3; bound *= 2) bounds.push_back(bound);
  return bounds;
}

// 1 ms to 16 s, doubling.
std::vector<double> first_byte_buckets() {
  std::vector<double> bounds;
  for (double bound = 0.001; bound < 17; bound *= 2) bounds.push_back(bound);
  return bounds;
}

auto& handshake_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_handshakes_total")
      .Help("TLS handshakes by result")
      .Register(registry);
}

auto& request_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_requests_total")
      .Help("HTTP responses sent to clients by class of status")
      .Register(registry);
}

auto& backend_fault_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_backend_faults_total")
      .Help("Requests that a backend did not answer properly")
      .Register(registry);
}

auto& connection_family(Registry& registry) {
  return BuildGauge()
      .Name("keystay_tlsd_connections")
      .Help("Client connections that are open")
      .Register(registry);
}

auto& accept_error_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_accept_errors_total")
      .Help("Connections that could not be accepted")
      .Register(registry);
}

auto& given_up_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_connections_given_up_total")
      .Help("Connections that an exception ended; the log says which")
      .Register(registry);
}

auto& broken_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_responses_broken_total")
      .Help("Requests whose response did not come to its end, by who broke it off")
      .Register(registry);
}

auto& own_answer_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_own_answers_total")
      .Help("Responses that keystay-tlsd made itself, by status; counted as requests too")
      .Register(registry);
}

auto& http2_error_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_http2_errors_total")
      .Help("Connections and streams of HTTP/2 that keystay-tlsd ended with an error, by its name")
      .Register(registry);
}

auto& connection_limit_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_connection_limit_reached_total")
      .Help("How often max-connections was reached, so that clients waited to be accepted")
      .Register(registry);
}

auto& relay_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_relays_total")
      .Help("Relays of bytes that have ended, by how: connections of mode tcp, and those of HTTP after 101")
      .Register(registry);
}

auto& relayed_bytes_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_relayed_bytes_total")
      .Help("Bytes that relays have passed on, by where they came from")
      .Register(registry);
}

auto& http_bytes_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_http_bytes_total")
      .Help("Bytes of HTTP, heads included, inside TLS: from clients, and to clients")
      .Register(registry);
}

auto& log_lines_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_log_lines_left_out_total")
      .Help("Lines of the log that clients caused and that were too many in their second")
      .Register(registry);
}

auto& ticket_change_family(Registry& registry) {
  return BuildCounter()
      .Name("keystay_tlsd_ticket_key_changes_total")
      .Help("How often keys of session tickets were to be made while the server ran, by result")
      .Register(registry);
}

auto& reload_family(Registry& registry) {
  return BuildCounter().Name("keystay_tlsd_reloads_total").Help("Reloads by result").Register(registry);
}

}  // namespace

ListenerMetrics::ListenerMetrics(Registry& registry, const std::string& listener)
    : own_answers_(&own_answer_family(registry)),
      http2_errors_(&http2_error_family(registry)),
      listener_(listener),
      connections_(&connection_family(registry).Add({{"listener", listener}})),
      accept_errors_(&accept_error_family(registry).Add({{"listener", listener}})),
      connection_limit_reached_(&connection_limit_family(registry).Add({{"listener", listener}})),
      given_up_(&given_up_family(registry).Add({{"listener", listener}})),
      bytes_from_client_(&relayed_bytes_family(registry).Add({{"listener", listener}, {"from", "client"}})),
      bytes_from_backend_(&relayed_bytes_family(registry).Add({{"listener", listener}, {"from", "backend"}})),
      http_bytes_in_(&http_bytes_family(registry).Add({{"listener", listener}, {"direction", "in"}})),
      http_bytes_out_(&http_bytes_family(registry).Add({{"listener", listener}, {"direction", "out"}})),
      log_lines_left_out_(&log_lines_family(registry).Add({{"listener", listener}})) {
  for (std::size_t i = 0; i < handshakes_.size(); ++i) {
    handshakes_[i] = &handshake_family(registry).Add(
        {{"listener", listener}, {"result", std::string(kHandshakeNames[i])}});
  }
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    requests_[i] =
        &request_family(registry).Add({{"listener", listener}, {"status", std::to_string(i + 1) + "xx"}});
  }
  for (std::size_t i = 0; i < backend_faults_.size(); ++i) {
    backend_faults_[i] = &backend_fault_family(registry).Add(
        {{"listener", listener}, {"fault", std::string(kBackendFaultNames[i])}});
  }
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    relays_[i] =
        &relay_family(registry).Add({{"listener", listener}, {"end", std::string(kRelayOutcomeNames[i])}});
  }
  for (std::size_t i = 0; i < broken_.size(); ++i) {
    broken_[i] =
        &broken_family(registry).Add({{"listener", listener}, {"by", std::string(kBrokenByNames[i])}});
  }
}

void ListenerMetrics::own_answer(unsigned status) {
  request(status);
  own_answers_->Add({{"listener", listener_}, {"status", std::to_string(status)}}).Increment();
}

void ListenerMetrics::http_bytes(std::uint64_t from_client, std::uint64_t to_client) {
  if (from_client > 0) http_bytes_in_->Increment(static_cast<double>(from_client));
  if (to_client > 0) http_bytes_out_->Increment(static_cast<double>(to_client));
}

void ListenerMetrics::http2_error(Http2Scope scope, std::string_view error) {
  http2_errors_
      ->Add({{"listener", listener_},
             {"scope", std::string(kHttp2ScopeNames[static_cast<std::size_t>(scope)])},
             {"error", std::string(error)}})
      .Increment();
}

void ListenerMetrics::request(unsigned status) {
  const unsigned status_class = status / 100;
  if (status_class >= 1 && status_class <= requests_.size()) requests_[status_class - 1]->Increment();
}

Metrics::Metrics()
    : paused_handshakes_(&BuildGauge()
                              .Name("keystay_tlsd_handshakes_paused")
                              .Help("Handshakes that wait for a signature now")
                              .Register(registry_)
                              .Add({})),
      sign_wait_(&BuildHistogram()
                      .Name("keystay_tlsd_sign_wait_seconds")
                      .Help("Time that a handshake was paused for one signature")
                      .Register(registry_)
                      .Add({}, sign_wait_buckets())),
      abandoned_signatures_(
          &BuildCounter()
               .Name("keystay_tlsd_signatures_abandoned_total")
               .Help("Signatures given up because the client left, the handshake timed out or "
                     "the server stopped")
               .Register(registry_)
               .Add({})),
      admin_accept_errors_(&accept_error_family(registry_).Add({{"listener", "admin"}})),
      admin_given_up_(&given_up_family(registry_).Add({{"listener", "admin"}})),
      exceptions_(&BuildCounter()
                       .Name("keystay_tlsd_handler_exceptions_total")
                       .Help("Exceptions that ended what a handler served, and not the server")
                       .Register(registry_)
                       .Add({})),
      connections_moved_(&BuildCounter()
                              .Name("keystay_tlsd_connections_moved_total")
                              .Help("Connections that another thread serves than the one that accepted them")
                              .Register(registry_)
                              .Add({})),
      reloads_succeeded_(&reload_family(registry_).Add({{"result", "succeeded"}})),
      reloads_failed_(&reload_family(registry_).Add({{"result", "failed"}})),
      ticket_keys_(&BuildGauge()
                        .Name("keystay_tlsd_ticket_keys")
                        .Help("Keys that open session tickets now; 0: no connection is resumed")
                        .Register(registry_)
                        .Add({})),
      ticket_keys_made_(&ticket_change_family(registry_).Add({{"result", "succeeded"}})),
      ticket_keys_failed_(&ticket_change_family(registry_).Add({{"result", "failed"}})),
      certificate_expiry_(
          &BuildGauge()
               .Name("keystay_tlsd_certificate_expiry_timestamp_seconds")
               .Help("End of validity of the certificate, or of the issuer that expires first")
               .Register(registry_)),
      server_up_(
          &BuildGauge()
               .Name("keystay_tlsd_backend_server_up")
               .Help(
                   "1 if the server is in service by its health checks; without them, if the last attempt to "
                   "connect succeeded, or none was made yet")
               .Register(registry_)),
      connect_failures_(&BuildCounter()
                             .Name("keystay_tlsd_backend_connect_failures_total")
                             .Help("Attempts to connect to the server that failed")
                             .Register(registry_)),
      backend_requests_(&BuildCounter()
                             .Name("keystay_tlsd_backend_requests_total")
                             .Help("Requests for the backend by class of the status that the client got")
                             .Register(registry_)),
      backend_first_byte_(&BuildHistogram()
                               .Name("keystay_tlsd_backend_first_byte_seconds")
                               .Help("Time from the head of a request to that of the backend's response")
                               .Register(registry_)) {}

ListenerMetrics& Metrics::listener(const std::string& name) {
  auto& metrics = listeners_[name];
  if (!metrics) metrics = std::make_unique<ListenerMetrics>(registry_, name);
  return *metrics;
}

void Metrics::certificates(const std::map<std::string, double>& seconds_since_epoch) {
  std::erase_if(certificates_, [&](const auto& shown) {
    if (seconds_since_epoch.contains(shown.first)) return false;
    certificate_expiry_->Remove(shown.second);
    return true;
  });
  for (const auto& [name, end] : seconds_since_epoch) {
    auto& gauge = certificates_[name];
    if (gauge == nullptr) gauge = &certificate_expiry_->Add({{"certificate", name}});
    gauge->Set(end);
  }
}

std::shared_ptr<BackendMetrics> Metrics::backend(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(backends_, [](const auto& known) { return known.second.expired(); });
  auto& known = backends_[name];
  auto result = known.lock();
  if (!result)
    known = result = std::make_shared<BackendMetrics>(*backend_requests_, *backend_first_byte_, name);
  return result;
}

std::shared_ptr<BackendServer> Metrics::backend_server(const std::string& backend,
                                                       const std::string& server) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(servers_, [](const auto& known) { return known.second.expired(); });
  auto& known = servers_[{backend, server}];
  auto result = known.lock();
  if (!result)
    known = result = std::make_shared<BackendServer>(*server_up_, *connect_failures_, backend, server);
  return result;
}

BackendMetrics::BackendMetrics(prometheus::Family<prometheus::Counter>& requests,
                               prometheus::Family<prometheus::Histogram>& first_byte,
                               const std::string& backend)
    : request_family_(requests),
      first_byte_family_(first_byte),
      first_byte_(first_byte.Add({{"backend", backend}}, first_byte_buckets())) {
  for (std::size_t i = 0; i < requests_.size(); ++i)
    requests_[i] = &requests.Add({{"backend", backend}, {"status", std::string(kClasses[i])}});
}

BackendMetrics::~BackendMetrics() {
  for (prometheus::Counter* counter : requests_) request_family_.Remove(counter);
  first_byte_family_.Remove(&first_byte_);
}

BackendServer::BackendServer(prometheus::Family<prometheus::Gauge>& up,
                             prometheus::Family<prometheus::Counter>& failures, const std::string& backend,
                             const std::string& server)
    : up_family_(up),
      failure_family_(failures),
      name_("backend " + backend + ": server " + server),
      up_(up.Add({{"backend", backend}, {"server", server}}, 1)),
      failures_(failures.Add({{"backend", backend}, {"server", server}})) {}

BackendServer::~BackendServer() {
  up_family_.Remove(&up_);
  failure_family_.Remove(&failures_);
}

void BackendServer::failed(const std::string& reason) {
  failures_.Increment();
  if (checked_) return;
  up_.Set(0);
  if (!down_.exchange(true))
    spdlog::warn("{} cannot be reached: {}; the others are tried first", name_, reason);
}

void BackendServer::reached() {
  if (!down_.load(std::memory_order_relaxed) || !down_.exchange(false)) return;
  up_.Set(1);
  spdlog::info("{} is reached again", name_);
}

void BackendServer::check_passed(unsigned rise) {
  if (!checked_.exchange(true)) down_ = false;
  if (in_service_) {
    up_.Set(1);
    in_a_row_ = 0;
  } else if (++in_a_row_ >= rise) {
    in_a_row_ = 0;
    up_.Set(1);
    in_service_ = true;
    spdlog::info("{} is in service again: {} health checks in a row succeeded", name_, rise);
  }
}

void BackendServer::check_failed(unsigned fall, const std::string& reason) {
  const bool is_first = !checked_.exchange(true);
  if (!in_service_) {
    in_a_row_ = 0;
  } else if (is_first || ++in_a_row_ >= fall) {
    in_a_row_ = 0;
    up_.Set(0);
    in_service_ = false;
    spdlog::warn("{} is out of service, its health check failed: {}", name_, reason);
  }
}

void BackendServer::checks_ended() noexcept {
  checked_ = false;
  in_a_row_ = 0;
  in_service_ = true;
  up_.Set(1);
}

std::vector<prometheus::MetricFamily> Metrics::collect() const {
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (const prometheus::Collectable* other : others_) {
    for (prometheus::MetricFamily& family : other->Collect()) families.push_back(std::move(family));
  }
  return families;
}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(collect()); }

}  // namespace keystay::tlsd
