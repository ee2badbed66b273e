// The way back of an Exchange: the backend's response to the client, or what stands for it.
#include <utility>

#include <fmt/format.h>

#include "tlsd/http/answer.h"
#include "tlsd/http/body_rate.h"
#include "tlsd/http/exchange.h"
#include "tlsd/http/fields.h"
#include "tlsd/http/read_message.h"
#include "tlsd/tcp/relay_report.h"

namespace keystay::tlsd {
namespace {

constexpr int kMostInterimResponses = 32;

}  // namespace

// Interim responses are passed on as they come (RFC 9110, section 15.2).
awaitable<std::optional<Fault>> Exchange::final_response(std::optional<ResponseParser>& response) {
  std::optional<Fault> fault = Fault::bad_response;
  for (int i = 0; i < kMostInterimResponses; ++i) {
    fault = co_await read_response(response.emplace());
    if (fault == Fault::closed && reused_) fault = co_await retry(response.emplace());
    const unsigned status = response->get().result_int();  // Beast's enum does not have them all
    if (fault || status < 100 || status >= 200) break;
    if (status == static_cast<unsigned>(http::status::switching_protocols)) {
      if (!websocket_ || !switches_to_websocket(response->get())) fault = Fault::bad_response;
      if (fault) reason_ = "101 (Switching Protocols) to something that the request did not ask for";
      break;
    }
    co_await pass_on_interim(*response);
    fault = Fault::bad_response;
    reason_ = "only interim responses";
  }
  co_return fault;
}

awaitable<std::optional<Fault>> Exchange::read_response(ResponseParser& response) {
  response.skip(method_ == http::verb::head);
  MessageRead read = co_await tlsd::read_response(connection_->socket, connection_->buffer, response);
  if (read.end == MessageRead::End::complete) co_return std::nullopt;
  const bool failed = read.end == MessageRead::End::failed;
  if (failed && response_timed_out()) co_return Fault::response_timed_out;
  reason_ = connection_->socket.tls_failure();
  if (reason_.empty()) reason_ = std::move(read.reason);
  co_return failed && connection_->buffer.size() == 0 ? Fault::closed : Fault::bad_response;
}

// Once, on a fresh connection, where an idle one turned out to be closed (RFC 9112, section 9.3.1).
awaitable<std::optional<Fault>> Exchange::retry(ResponseParser& response) {
  if (const auto fault = co_await open_backend()) co_return fault;
  MessageWriter writer(request_.get());
  static_cast<void>(co_await writer.write_head(connection_->socket));
  co_return co_await read_response(response);
}

awaitable<void> Exchange::pass_on_interim(ResponseParser& response) {
  if (response.get().result() == http::status::continue_) body_began();
  prepare_interim_response(response.get());
  co_await client_.pass_interim(response);
}

awaitable<After> Exchange::pass_on(ResponseParser& response) {
  prepare_response(response.get());
  client_.frame(response, request_, uploaded_);
  if (const auto failed = co_await pass_on_message(response)) co_return *failed;
  if (uploaded_ && response.keep_alive() && connection_->buffer.size() == 0) {
    backend_->give_back(std::exchange(connection_, nullptr));
  }
  co_return client_.after_response(uploaded_);
}

// A response counts as one when all of it has come from the backend. Nothing if all of it was passed on.
awaitable<std::optional<After>> Exchange::pass_on_message(ResponseParser& response) {
  TimeLimit stall(backend_->executor(), listener_.settings.stall_timeout, [this] {
    interrupt();
    client_.interrupt();
  });
  bool counted = false;
  const BodyRate rate(listener_.settings);
  RelayWaits waits(RelayWait::input);
  const std::uint64_t taken_before = client_.bytes_taken();
  const auto watch = [&](RelayWait wait) {
    stall.restart();
    client_.count_bytes();
    if (wait == RelayWait::output && response.is_done() && !std::exchange(counted, true))
      metrics_.request(response.get().result_int());
    waits.begin(wait);
    if (slow_client_ ||
        !rate.too_low(client_.bytes_taken() - taken_before, waits.waited_for(RelayWait::output)))
      return;
    slow_client_ = true;
    interrupt();
    client_.interrupt();
  };
  const OnRelayWait on_wait = std::ref(watch);
  const RelayResult result = co_await client_.pass_response(response, *connection_, on_wait);
  outcome_.body_bytes = client_.body_bytes();
  if (result.end == RelayResult::End::complete) co_return std::nullopt;
  if (result.end == RelayResult::End::input_failed && !client_.response_begun()) {
    co_return co_await answer(fault_before_body(result, stall.expired()));
  }
  if (!response.is_done()) {
    report_broken(result, stall.expired());
  } else {
    outcome_.end = client_.cut ? RelayOutcome::server : RelayOutcome::client;
  }
  co_return After::abort;
}

// The client has nothing of the response yet, so that it can have an answer.
Fault Exchange::fault_before_body(const RelayResult& result, bool stalled) {
  if (client_.gone()) return Fault::client_gone;
  if (upload_fault_) return *upload_fault_;
  if (stalled || response_timed_out()) return Fault::response_timed_out;
  reason_ = result.error.message();
  return Fault::bad_response;
}

// The client has a part of the response, and sees from the end of its connection that it is one.
void Exchange::report_broken(const RelayResult& result, bool stalled) {
  const bool late = response_limit_ && response_limit_->expired();
  if (client_.cut) return count_broken(BrokenBy::server);
  if (client_.gone()) return count_broken(BrokenBy::client);
  if (upload_fault_ || slow_client_ || (result.end == RelayResult::End::output_failed && !late)) {
    count_broken(BrokenBy::client);
    if (slow_client_) client_.log.write(client_.endpoint, "took a response more slowly than min-body-rate");
    if (stalled) client_.log.write(client_.endpoint, "took nothing of a response for stall-timeout");
    return;
  }
  count_broken(BrokenBy::backend);
  metrics_.backend_fault(BackendFault::broken_off);
  client_.log.warn(client_.endpoint, fmt::format("response to {} broken off: {}: {}",
                                                 std::string_view(request_.get().method_string()), server(),
                                                 late      ? "it was not complete within response-timeout"
                                                 : stalled ? "nothing came for stall-timeout"
                                                           : result.error.message()));
}

void Exchange::count_broken(BrokenBy by) {
  metrics_.response_broken(by);
  outcome_.end = by == BrokenBy::client    ? RelayOutcome::client
                 : by == BrokenBy::backend ? RelayOutcome::backend
                                           : RelayOutcome::server;
}

awaitable<After> Exchange::switch_protocols(ResponseParser& response) {
  prepare_interim_response(response.get());
  const error_code error = co_await client_.switch_protocols(response);
  metrics_.request(response.get().result_int());
  response_limit_.reset();  // a tunnel has idle-timeout
  if (!error) {
    RelayEnd end = co_await client_.tunnel(*connection_, listener_.settings.idle_timeout, metrics_);
    if (client_.cut) end = {RelayOutcome::server, {}};
    report_relay(end, "tunnel", client_.endpoint, server(), metrics_, client_.log);
    outcome_.end = end.outcome;
  }
  co_return After::abort;  // both ends were passed on already
}

awaitable<After> Exchange::answer(Fault fault) {
  if (fault == Fault::client_gone || client_.gone()) {
    count_broken(client_.cut ? BrokenBy::server : BrokenBy::client);
    outcome_.status = 0;  // a head that was read did not go on
    co_return After::abort;
  }
  const FaultAnswer& kind = answer_for(fault);
  report(kind);
  client_.clear_interrupt();
  const TimeLimit limit(backend_->executor(), kAnswerLimit, [this] { client_.interrupt(); });
  Answer response = make_answer(kind.status, kind.text, method_, listener_.error_pages.get());
  outcome_.status = response.result_int();
  outcome_.body_bytes = response.body().size();
  if (!outcome_.first_byte) outcome_.first_byte = Clock::now();
  const error_code error = co_await client_.send(response);
  if (error) outcome_.end = RelayOutcome::client;
  co_return error ? After::abort : After::linger;
}

void Exchange::report(const FaultAnswer& answer) {
  metrics_.own_answer(static_cast<unsigned>(answer.status));
  if (!answer.backend_fault) {
    return client_.log.write(
        client_.endpoint,
        fmt::format("request refused with {}: {}{}", static_cast<unsigned>(answer.status), answer.text,
                    refusal_reason_.empty() ? "" : " (" + refusal_reason_ + ")"));
  }
  metrics_.backend_fault(*answer.backend_fault);
  if (answer.backend_fault == BackendFault::timed_out) reason_.clear();  // that we gave up says nothing more
  client_.log.warn(client_.endpoint, fmt::format("{} answered with {}: {}: {}{}",
                                                 std::string_view(request_.get().method_string()),
                                                 static_cast<unsigned>(answer.status), server(), answer.text,
                                                 reason_.empty() ? "" : " (" + reason_ + ")"));
}

std::string Exchange::server() const {
  const bool known = connection_ && !connection_->server.empty();
  return "backend " + backend_->name() + (known ? ", " + connection_->server : "");
}

}  // namespace keystay::tlsd
