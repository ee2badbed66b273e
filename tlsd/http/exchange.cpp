#include "tlsd/http/exchange.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/admin/printable.h"
#include "tlsd/http/body_rate.h"
#include "tlsd/http/fields.h"

namespace keystay::tlsd {
namespace {

// RFC 9110, section 9.2.2
bool is_idempotent(http::verb method) {
  switch (method) {
    case http::verb::get:
    case http::verb::head:
    case http::verb::options:
    case http::verb::put:
    case http::verb::delete_:
      return true;
    default:
      return false;
  }
}

}  // namespace

Exchange::Exchange(HttpClient& client, RequestParser& request, Clock::time_point request_end,
                   const ListenerSnapshot& listener, const RoutedBackends& backends, ListenerMetrics& metrics)
    : client_(client),
      request_(request),
      request_end_(request_end),
      listener_(listener),
      backends_(backends),
      backend_(backends.fallback.get()),
      metrics_(metrics),
      method_(request.get().method()),
      websocket_(asks_for_websocket(request.get())),
      has_body_(!request.is_done()),
      replayable_(!has_body_ && !websocket_ && is_idempotent(method_)),
      awaits_continue_(has_body_ && request.get().version() >= 11 &&
                       request.get().count(http::field::expect) > 0) {}

awaitable<After> Exchange::run() {
  auto& request = request_.get();
  prepare_request(request, address_text(client_.endpoint));
  if (const ClientIdentity* client = client_.tls.client()) add_client_certificate(request, *client);
  if (is_misdirected()) co_return co_await answer(Fault::misdirected);
  // HTTP/1.0 allows a request without one (RFC 9112, section 3.3).
  if (request[http::field::host].empty()) request.set(http::field::host, client_.local_authority());
  choose_backend();
  if (const auto fault = co_await obtain_backend()) co_return co_await answer(*fault);
  if (has_body_) co_return co_await exchange_with_body();
  co_return co_await exchange_without_body();
}

void Exchange::interrupt() noexcept {
  if (connection_) connection_->interrupt();
}

void Exchange::count_request() const {
  if (!outcome_.backend.empty()) backend_->metrics().request(outcome_.status);
}

// Where routes go by the host, one for which the connection's certificates are not is refused (RFC 9110,
// section 7.4): a client of HTTP/2 that sends requests for several hosts on one connection (RFC 9113,
// section 9.1.1) then makes another, and nobody gets to one host by what was agreed on for another.
bool Exchange::is_misdirected() {
  if (!listener_.routes.has_hosts()) return false;
  const std::string_view host = host_without_port(request_.get()[http::field::host]);
  if (host.empty() || client_.tls.serves(host)) return false;
  const std::string_view server_name = client_.tls.agreed().server_name;
  refusal_reason_ = fmt::format("\"{}\" on a connection for {}", printable(host),
                                server_name.empty() ? "no name" : '"' + printable(server_name) + '"');
  return true;
}

// By a target in origin-form and the Host that goes with it.
void Exchange::choose_backend() {
  const auto& request = request_.get();
  const std::string_view host = host_without_port(request[http::field::host]);
  backend_ = &backends_.find(listener_.routes, host, path_of(request.target()));
  outcome_.backend = backend_->name();
}

// A server may close an idle connection at the very moment of its use: only for requests that may be sent
// twice.
awaitable<std::optional<Fault>> Exchange::obtain_backend() {
  if (client_.gone()) co_return Fault::client_gone;  // after the request was read
  if (replayable_) connection_ = backend_->take_idle();
  outcome_.server = connection_;
  reused_ = connection_ != nullptr;
  if (reused_) co_return std::nullopt;
  co_return co_await open_backend();
}

awaitable<std::optional<Fault>> Exchange::open_backend() {
  if (client_.gone()) co_return Fault::client_gone;  // what looks like a closed connection was interrupted
  reused_ = false;
  connection_ = std::make_shared<BackendConnection>(backend_->executor());
  outcome_.server = connection_;
  const error_code error = co_await backend_->connect(*connection_);
  if (!error) co_return std::nullopt;
  const Fault fault = fault_of_connect(error);
  if (fault == Fault::unreachable) reason_ = connection_->reason_of(error);
  co_return fault;
}

// A failure to send shows in the response that does not come; and a server may answer without reading on.
awaitable<After> Exchange::exchange_without_body() {
  begin_response();
  MessageWriter writer(request_.get());
  static_cast<void>(co_await writer.write_head(connection_->socket));
  uploaded_ = true;
  co_return co_await download();
}

// Both ways at once: a server may answer before it has read everything, and may want to see the head first
// (RFC 9110, section 10.1.1, Expect).
awaitable<After> Exchange::exchange_with_body() {
  using asio::experimental::awaitable_operators::operator&&;
  const After after = co_await (upload() && download_and_stop_upload());
  client_.clear_interrupt();
  co_return after;
}

// request-timeout is one deadline for the whole body, stall-timeout counts anew with each piece. Who is to
// blame is whom the upload waits for; at the deadline of a body that moves, whom it has waited for longest. A
// client that is too slow (min-body-rate) is ended at its next piece.
awaitable<void> Exchange::upload() {
  const TimeLimit deadline(backend_->executor(), request_end_, [this] {
    waits_.begin(waits_.current());
    end_upload(waits_.longest());
  });
  TimeLimit stall(backend_->executor(), listener_.settings.stall_timeout,
                  [this] { end_upload(waits_.current()); });
  if (awaits_continue_) begin_response();
  MessageWriter writer(request_.get());
  if (const error_code error = co_await writer.write_head(connection_->socket); error) {
    begin_response();
    co_return;
  }
  const BodyRate rate(listener_.settings);
  const auto watch = [this, &stall, &rate, &writer](RelayWait wait) {
    stall.restart();
    client_.count_bytes();
    waits_.begin(wait);
    if (wait == RelayWait::output) body_began();
    if (!rate.too_low(writer.body_bytes(), waits_.waited_for(RelayWait::input)) || upload_fault_) return;
    refusal_reason_ = "slower than min-body-rate";
    end_upload(RelayWait::input);
  };
  const OnRelayWait on_wait = std::ref(watch);
  const RelayResult result = co_await client_.pass_body(request_, *connection_, writer, on_wait);
  uploaded_ = result.end == RelayResult::End::complete;
  if (upload_fault_) co_return;
  if (result.end != RelayResult::End::input_failed) co_return begin_response();
  const bool too_large = result.error == http::error::body_limit;
  const bool malformed = result.error != http::error::partial_message &&
                         (result.error.category() == body_limit_category() ||
                          result.error.category() == make_error_code(http::error::bad_chunk).category());
  if (malformed && !too_large) refusal_reason_ = result.error.message();
  upload_fault_ = too_large ? Fault::body_too_large : malformed ? Fault::bad_request : Fault::client_gone;
  interrupt();
}

void Exchange::end_upload(RelayWait awaited) noexcept {
  upload_fault_ = awaited == RelayWait::output ? Fault::request_not_taken
                  : awaits_continue_           ? Fault::response_timed_out
                                               : Fault::request_timed_out;
  client_.interrupt();
  interrupt();
}

// The client does not wait for the backend's 100 (Continue), or has it.
void Exchange::body_began() noexcept {
  if (!std::exchange(awaits_continue_, false)) return;
  head_limit_.reset();
  response_limit_.reset();
}

// Both limits count from the end of the request. Neither is restarted by what the backend sends.
void Exchange::begin_response() {
  const auto end_response = [this] {
    if (has_body_ && !uploaded_) upload_fault_ = Fault::response_timed_out;
    client_.interrupt();
    interrupt();
  };
  if (!head_passed_)
    head_limit_.emplace(backend_->executor(), backend_->settings().response_head_timeout, end_response);
  response_limit_.emplace(backend_->executor(), backend_->settings().response_timeout, end_response);
}

bool Exchange::response_timed_out() const noexcept {
  return (head_limit_ && head_limit_->expired()) || (response_limit_ && response_limit_->expired());
}

awaitable<After> Exchange::download_and_stop_upload() {
  const After after = co_await download();
  if (!uploaded_) {
    client_.interrupt();
    interrupt();
  }
  co_return after;
}

awaitable<After> Exchange::download() {
  std::optional<ResponseParser> response;
  if (const auto fault = co_await final_response(response))
    co_return co_await answer(upload_fault_.value_or(*fault));
  head_passed_ = true;
  outcome_.status = response->get().result_int();
  outcome_.first_byte = Clock::now();
  backend_->metrics().first_byte(*outcome_.first_byte - begin_);
  head_limit_.reset();
  if (response->get().result() == http::status::switching_protocols)
    co_return co_await switch_protocols(*response);
  co_return co_await pass_on(*response);
}

}  // namespace keystay::tlsd
