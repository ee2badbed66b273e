// One request of a client and the backend's response to it.
#pragma once

#include <optional>
#include <string>

#include "tlsd/admin/metrics.h"
#include "tlsd/http/fault.h"
#include "tlsd/http/http.h"
#include "tlsd/http/http_client.h"
#include "tlsd/http/read_head.h"
#include "tlsd/http/relay_body.h"
#include "tlsd/http/request_outcome.h"
#include "tlsd/routed_backends.h"
#include "tlsd/snapshot.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {

class Exchange final {
 public:
  // The head of `request` is parsed; its body is still to come, until `request_end` at the latest.
  Exchange(HttpClient& client, RequestParser& request, Clock::time_point request_end,
           const ListenerSnapshot& listener, const RoutedBackends& backends, ListenerMetrics& metrics);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] awaitable<After> run();

  // After run().
  [[nodiscard]] const RequestOutcome& outcome() const noexcept { return outcome_; }
  // Among the requests of its backend, if it was for one.
  void count_request() const;

  // Gives up on the backend that is in use now. The client is interrupted by its owner.
  void interrupt() noexcept;

 private:
  [[nodiscard]] awaitable<std::optional<Fault>> obtain_backend();
  [[nodiscard]] bool is_misdirected();
  void choose_backend();
  [[nodiscard]] awaitable<std::optional<Fault>> open_backend();

  [[nodiscard]] awaitable<After> exchange_without_body();
  [[nodiscard]] awaitable<After> exchange_with_body();
  [[nodiscard]] awaitable<void> upload();
  void end_upload(RelayWait awaited) noexcept;
  void body_began() noexcept;
  void begin_response();
  [[nodiscard]] bool response_timed_out() const noexcept;
  [[nodiscard]] awaitable<After> download();
  [[nodiscard]] awaitable<After> download_and_stop_upload();

  [[nodiscard]] awaitable<std::optional<Fault>> final_response(std::optional<ResponseParser>& response);
  [[nodiscard]] awaitable<std::optional<Fault>> read_response(ResponseParser& response);
  [[nodiscard]] awaitable<std::optional<Fault>> retry(ResponseParser& response);

  [[nodiscard]] awaitable<void> pass_on_interim(ResponseParser& response);
  [[nodiscard]] awaitable<After> pass_on(ResponseParser& response);
  [[nodiscard]] awaitable<std::optional<After>> pass_on_message(ResponseParser& response);
  [[nodiscard]] Fault fault_before_body(const RelayResult& result, bool stalled);
  void report_broken(const RelayResult& result, bool stalled);
  void count_broken(BrokenBy by);
  [[nodiscard]] awaitable<After> switch_protocols(ResponseParser& response);
  [[nodiscard]] awaitable<After> answer(Fault fault);
  void report(const FaultAnswer& answer);
  [[nodiscard]] std::string server() const;  // for the log

  HttpClient& client_;
  RequestParser& request_;
  const Clock::time_point request_end_;
  const ListenerSnapshot& listener_;
  const RoutedBackends& backends_;
  Backend* backend_;  // of this request; the listener's, as long as none is chosen
  ListenerMetrics& metrics_;

  const http::verb method_;
  const bool websocket_;
  const bool has_body_;
  const bool replayable_;  // may be sent twice

  BackendConnectionPtr connection_;
  bool reused_ = false;                      // connection_ has served before
  bool uploaded_ = false;                    // all of the request was read and sent
  RelayWaits waits_{RelayWait::output};      // of the upload
  bool awaits_continue_;                     // the client sends its body when the backend wants it
  std::optional<Fault> upload_fault_;        // what ended the upload, and with it the exchange
  std::string refusal_reason_;               // for the log
  std::string reason_;                       // of a fault, for the log
  bool head_passed_ = false;                 // the final response has begun
  bool slow_client_ = false;                 // it takes the response more slowly than min-body-rate
  std::optional<TimeLimit> head_limit_;      // response-head-timeout, from the end of the request
  std::optional<TimeLimit> response_limit_;  // response-timeout, likewise
  RequestOutcome outcome_;
  const Clock::time_point begin_ = Clock::now();  // the request's head was complete
};

}  // namespace keystay::tlsd
