// What GET /metrics shows. docs/user/tlsd.md lists the metrics.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace keystay::tlsd {

// How a handshake ended.
enum class Handshake : std::size_t {
  full,           // with a signature
  resumed,        // by a ticket, without one
  refused,        // the two sides did not agree: the client's alert, no common cipher, not TLS
  plain_http,     // the client spoke HTTP without TLS
  client_closed,  // the client left
  timed_out,
  sign_failed,          // the key could not sign
  stopped,              // the server stopped
  client_address,       // the listener does not allow the client's
  client_certificate,   // the client shows none, or one that the listener does not take
  proxy_header,         // a proxy of accept-proxy sent no right header
  address_connections,  // more than max-connections-per-address
  address_rate,         // more than handshakes-per-second-per-address
  starttls,             // the client did not ask for TLS as the protocol of `starttls` wants it
  unknown_name,         // no certificate has the client's server name, and the listener refuses that
};
inline constexpr std::array<std::string_view, 15> kHandshakeNames{"full",           "resumed",
                                                                  "refused",        "plain_http",
                                                                  "client_closed",  "timed_out",
                                                                  "sign_failed",    "stopped",
                                                                  "client_address", "client_certificate",
                                                                  "proxy_header",   "address_connections",
                                                                  "address_rate",   "starttls",
                                                                  "unknown_name"};

enum class BackendFault : std::size_t {
  unreachable,
  timed_out,
  closed,  // before its response
  bad_response,
  broken_off,  // in the middle of its response
  no_server,   // none is in service
};
inline constexpr std::array<std::string_view, 6> kBackendFaultNames{
    "unreachable", "timed_out", "closed", "bad_response", "broken_off", "no_server"};

// The side by which a response ended before it was complete, or before it began; `server`: tlsd stopped.
enum class BrokenBy : std::size_t { client, backend, server };
inline constexpr std::array<std::string_view, 3> kBrokenByNames{"client", "backend", "server"};

// How a relay of bytes ended: a connection of mode tcp, or one of HTTP after 101 (Switching Protocols).
enum class RelayOutcome : std::size_t {
  complete,  // both sides ended in order
  client,    // the client's connection failed, or ended without close_notify
  backend,   // the server's failed, or there was none
  idle,      // nothing moved for idle-timeout
  server,    // this server stopped
};
inline constexpr std::array<std::string_view, 5> kRelayOutcomeNames{"complete", "client", "backend", "idle",
                                                                    "server"};

// What of HTTP/2 an error ends (RFC 9113, section 5.4).
enum class Http2Scope : std::size_t { connection, stream };
inline constexpr std::array<std::string_view, 2> kHttp2ScopeNames{"connection", "stream"};

// Of one listener. Thread-safe.
class ListenerMetrics final {
 public:
  ListenerMetrics(prometheus::Registry& registry, const std::string& listener);

  void handshake(Handshake result) { handshakes_[static_cast<std::size_t>(result)]->Increment(); }
  // A response of a backend that is complete.
  void request(unsigned status);
  // One that is tlsd's own: a refusal, or what stands for a response that did not come.
  void own_answer(unsigned status);
  // Of the heads and bodies of HTTP, inside TLS.
  void http_bytes(std::uint64_t from_client, std::uint64_t to_client);
  void response_broken(BrokenBy by) { broken_[static_cast<std::size_t>(by)]->Increment(); }
  void backend_fault(BackendFault fault) { backend_faults_[static_cast<std::size_t>(fault)]->Increment(); }
  void relay_ended(RelayOutcome outcome) { relays_[static_cast<std::size_t>(outcome)]->Increment(); }
  // By this server's doing; with the name of the error (RFC 9113, section 7).
  void http2_error(Http2Scope scope, std::string_view error);
  // Of relays, when the other side has taken them.
  [[nodiscard]] prometheus::Counter& bytes_from_client() { return *bytes_from_client_; }
  [[nodiscard]] prometheus::Counter& bytes_from_backend() { return *bytes_from_backend_; }
  [[nodiscard]] prometheus::Gauge& connections() { return *connections_; }
  [[nodiscard]] prometheus::Counter& accept_errors() { return *accept_errors_; }
  // Connections that an exception ended.
  [[nodiscard]] prometheus::Counter& given_up() { return *given_up_; }
  [[nodiscard]] prometheus::Counter& connection_limit_reached() { return *connection_limit_reached_; }
  [[nodiscard]] prometheus::Counter& log_lines_left_out() { return *log_lines_left_out_; }

 private:
  std::array<prometheus::Counter*, kHandshakeNames.size()> handshakes_{};
  std::array<prometheus::Counter*, 5> requests_{};  // 1xx to 5xx
  std::array<prometheus::Counter*, kBackendFaultNames.size()> backend_faults_{};
  std::array<prometheus::Counter*, kBrokenByNames.size()> broken_{};
  std::array<prometheus::Counter*, kRelayOutcomeNames.size()> relays_{};
  prometheus::Family<prometheus::Counter>* own_answers_;
  prometheus::Family<prometheus::Counter>* http2_errors_;
  std::string listener_;
  prometheus::Gauge* connections_;
  prometheus::Counter* accept_errors_;
  prometheus::Counter* connection_limit_reached_;
  prometheus::Counter* given_up_;
  prometheus::Counter* bytes_from_client_;
  prometheus::Counter* bytes_from_backend_;
  prometheus::Counter* http_bytes_in_;
  prometheus::Counter* http_bytes_out_;
  prometheus::Counter* log_lines_left_out_;
};

// Of the requests that were meant for one backend, over all listeners and threads. Its series end with the
// last who uses it. Thread-safe.
class BackendMetrics final {
 public:
  BackendMetrics(prometheus::Family<prometheus::Counter>& requests,
                 prometheus::Family<prometheus::Histogram>& first_byte, const std::string& backend);
  BackendMetrics(const BackendMetrics&) = delete;
  BackendMetrics& operator=(const BackendMetrics&) = delete;
  ~BackendMetrics();

  // The status that the client got, tlsd's own included; 0: none.
  void request(unsigned status) { requests_.at(status / 100 % kClasses.size())->Increment(); }
  // From the end of the request's head to that of the response's.
  void first_byte(std::chrono::steady_clock::duration time) {
    first_byte_.Observe(std::chrono::duration<double>(time).count());
  }

 private:
  static constexpr std::array<std::string_view, 6> kClasses{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

  prometheus::Family<prometheus::Counter>& request_family_;
  prometheus::Family<prometheus::Histogram>& first_byte_family_;
  std::array<prometheus::Counter*, kClasses.size()> requests_{};
  prometheus::Histogram& first_byte_;
};

// One server of one backend, as all threads see it. Its series end with the last who uses it. Thread-safe.
class BackendServer final {
 public:
  BackendServer(prometheus::Family<prometheus::Gauge>& up, prometheus::Family<prometheus::Counter>& failures,
                const std::string& backend, const std::string& server);
  BackendServer(const BackendServer&) = delete;
  BackendServer& operator=(const BackendServer&) = delete;
  ~BackendServer();

  // Of one attempt to connect for a client. Writes a line to the log when the server goes down, and when it
  // is back; not where health checks decide that.
  void failed(const std::string& reason);
  void reached();

  // Of one health check; on the thread of the checks only. `rise` good ones in a row bring the server into
  // service, `fall` bad ones take it out, and so does a bad one that is the first of all. Writes a line to
  // the log at each change.
  void check_passed(unsigned rise);
  void check_failed(unsigned fall, const std::string& reason);
  // The server is not checked any more: it is in service. On the thread of the checks.
  void checks_ended() noexcept;
  // False: no client's request may go there.
  [[nodiscard]] bool in_service() const noexcept { return in_service_.load(std::memory_order_relaxed); }

  void begin_use() noexcept { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void end_use() noexcept { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] int in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }

 private:
  prometheus::Family<prometheus::Gauge>& up_family_;
  prometheus::Family<prometheus::Counter>& failure_family_;
  std::string name_;
  prometheus::Gauge& up_;
  prometheus::Counter& failures_;
  std::atomic<bool> down_{false};     // the last attempt to connect failed
  std::atomic<bool> checked_{false};  // health checks decide whether it is in service
  std::atomic<bool> in_service_{true};
  unsigned in_a_row_ = 0;  // checks that speak against the present state
  std::atomic<int> in_flight_{0};
};

// Of the process. Thread-safe, except that listener() is for the time before threads start.
class Metrics final {
 public:
  Metrics();

  [[nodiscard]] ListenerMetrics& listener(const std::string& name);
  // Handshakes that wait for a signature now; 0 when none does, or something leaks.
  [[nodiscard]] prometheus::Gauge& paused_handshakes() { return *paused_handshakes_; }
  [[nodiscard]] prometheus::Histogram& sign_wait() { return *sign_wait_; }
  [[nodiscard]] prometheus::Counter& abandoned_signatures() { return *abandoned_signatures_; }
  [[nodiscard]] prometheus::Counter& admin_accept_errors() { return *admin_accept_errors_; }
  [[nodiscard]] prometheus::Counter& admin_given_up() { return *admin_given_up_; }
  // Exceptions that left a handler and that an event loop caught.
  [[nodiscard]] prometheus::Counter& exceptions() { return *exceptions_; }
  // From the thread that accepted them to another.
  [[nodiscard]] prometheus::Counter& connections_moved() { return *connections_moved_; }
  void reload_succeeded() { reloads_succeeded_->Increment(); }
  void reload_failed() { reloads_failed_->Increment(); }
  // Of session tickets: how many open them now, and each time that some were to be made.
  void ticket_keys(std::size_t size) { ticket_keys_->Set(static_cast<double>(size)); }
  void ticket_keys_made() { ticket_keys_made_->Increment(); }
  void ticket_keys_failed() { ticket_keys_failed_->Increment(); }
  // The end of each certificate in use, by its name; the gauges of others go.
  void certificates(const std::map<std::string, double>& seconds_since_epoch);
  [[nodiscard]] std::shared_ptr<BackendMetrics> backend(const std::string& name);
  [[nodiscard]] std::shared_ptr<BackendServer> backend_server(const std::string& backend,
                                                              const std::string& server);

  // Shown with the others; must outlive this object.
  void show(const prometheus::Collectable& other) { others_.push_back(&other); }

  // All that there is.
  [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const;
  // The same in Prometheus' text format.
  [[nodiscard]] std::string text() const;

 private:
  prometheus::Registry registry_;
  std::vector<const prometheus::Collectable*> others_;
  std::map<std::string, std::unique_ptr<ListenerMetrics>> listeners_;
  prometheus::Gauge* paused_handshakes_;
  prometheus::Histogram* sign_wait_;
  prometheus::Counter* abandoned_signatures_;
  prometheus::Counter* admin_accept_errors_;
  prometheus::Counter* admin_given_up_;
  prometheus::Counter* exceptions_;
  prometheus::Counter* connections_moved_;
  prometheus::Counter* reloads_succeeded_;
  prometheus::Counter* reloads_failed_;
  prometheus::Gauge* ticket_keys_;
  prometheus::Counter* ticket_keys_made_;
  prometheus::Counter* ticket_keys_failed_;
  prometheus::Family<prometheus::Gauge>* certificate_expiry_;
  std::map<std::string, prometheus::Gauge*> certificates_;
  prometheus::Family<prometheus::Gauge>* server_up_;
  prometheus::Family<prometheus::Counter>* connect_failures_;
  prometheus::Family<prometheus::Counter>* backend_requests_;
  prometheus::Family<prometheus::Histogram>* backend_first_byte_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<BackendMetrics>> backends_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<BackendServer>> servers_;
};

}  // namespace keystay::tlsd
