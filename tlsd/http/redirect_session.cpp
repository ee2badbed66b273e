#include "tlsd/http/redirect_session.h"

#include <array>

#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/access_log/access_record.h"
#include "tlsd/http/answer.h"
#include "tlsd/http/fields.h"
#include "tlsd/http/read_message.h"
#include "tlsd/http/redirect.h"
#include "tlsd/http/relay_body.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

constexpr std::chrono::seconds kLingerLimit{2};
constexpr char kHandshakeRecord = 22;  // RFC 8446, section 5.1
constexpr int kMostInterimResponses = 32;

}  // namespace

RedirectSession::RedirectSession(const TlsClient& client)
    : client_(client), socket_(client_.stream.socket()) {}

awaitable<void> RedirectSession::run() {
  RequestParser request;
  const bool requested = co_await read_request(request);
  if (!requested) co_return;
  auto& head = request.get();
  version_ = head.version();
  prepare_request(head, address_text(client_.endpoint));
  head.set("X-Forwarded-Proto", "http");
  const bool challenge =
      !client_.listener.settings.backend.empty() && request.is_done() && is_acme_challenge(head);
  if (challenge) {
    co_await pass_on_challenge(request);
  } else {
    co_await redirect(head);
  }
}

void RedirectSession::drain() noexcept {
  if (!requested_) end_both();
}

void RedirectSession::cut() noexcept {
  cut_ = true;
  end_both();
  if (backend_) backend_->interrupt();
}

void RedirectSession::end_receiving() noexcept {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_receive, ignored);
}

void RedirectSession::end_both() noexcept {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
}

// request-head-timeout counts from accept: there is no other request to wait for.
awaitable<bool> RedirectSession::read_request(RequestParser& request) {
  const TimeLimit limit(socket_.get_executor(), client_.listener.settings.request_head_timeout,
                        [this] { end_receiving(); });
  const bool speaks_tls = co_await begins_with_tls();
  requested_ = true;
  if (speaks_tls) {
    client_.log.write(client_.endpoint, "TLS on a port that speaks HTTP in clear (redirect)");
    co_return false;
  }
  const HeadRead head = co_await read_request_head(socket_, buffer_, client_.listener.settings.request_sizes);
  note_request(head);
  const MessageRead read = parse_request(head, buffer_, request, client_.listener.settings.request_sizes);
  if (read.end == MessageRead::End::complete) co_return true;
  if (cut_) co_return false;
  if (read.end == MessageRead::End::refused) {
    co_await refuse(read.status, read.reason);
  } else if (limit.expired() && buffer_.size() > 0) {
    co_await refuse(http::status::request_timeout, "the request did not arrive in time");
  }
  co_return false;
}

// For the access log.
void RedirectSession::note_request(const HeadRead& head) {
  begin_ = Clock::now();
  wall_begin_ = std::chrono::system_clock::now();
  if (!client_.access_log.active()) return;
  const std::string_view bytes = text(buffer_);
  line_ = bytes.substr(0, bytes.find_first_of("\r\n"));
  head_size_ = head.size;
}

void RedirectSession::write_access(unsigned status, std::uint64_t bytes, RelayOutcome end) {
  if (!client_.access_log.active()) return;
  AccessRecord record{.begin = wall_begin_, .client = client_.endpoint, .tls = {}};
  record.duration = Clock::now() - begin_;
  record.request_line = line_;
  record.status = status;
  record.bytes_in = head_size_;
  record.bytes_out = bytes;
  record.body_bytes = bytes;
  if (backend_) record.backend = client_.listener.settings.backend;
  if (backend_) record.server = backend_->server;
  record.end = end;
  client_.access_log.write(record);
}

awaitable<bool> RedirectSession::begins_with_tls() {
  static_cast<void>(co_await socket_.async_wait(Socket::wait_read, kOutcome));
  char byte = 0;
  const ssize_t size = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  co_return size == 1 && byte == kHandshakeRecord;
}

awaitable<void> RedirectSession::redirect(const RequestHeader& request) {
  const auto location = redirect_location(request, client_.listener.settings.redirect->port);
  if (!location) {
    co_return co_await refuse(
        http::status::bad_request,
        "no Host field with a name or an address, to which this request could be redirected");
  }
  co_await answer(redirect_status(request.method()), "this is served by https", request.method(), *location);
}

awaitable<void> RedirectSession::refuse(http::status status, std::string_view reason) {
  client_.log.write(client_.endpoint,
                    fmt::format("request refused with {}: {}", static_cast<unsigned>(status), reason));
  co_await answer(status, reason, http::verb::get, {});
}

awaitable<void> RedirectSession::answer(http::status status, std::string_view text, http::verb method,
                                        std::string_view location) {
  client_.metrics.own_answer(static_cast<unsigned>(status));
  const TimeLimit limit(socket_.get_executor(), kAnswerLimit, [this] { end_both(); });
  Answer response = make_answer(status, text, method, client_.listener.error_pages.get());
  if (!location.empty()) response.set(http::field::location, std::string(location));
  const std::size_t body_size = response.body().size();
  const auto [error, _] = co_await http::async_write(socket_, response, kOutcome);
  write_access(static_cast<unsigned>(status), body_size,
               error ? RelayOutcome::client : RelayOutcome::complete);
  if (!error) co_await linger();
}

// A reset would destroy the answer of a client that is still sending.
awaitable<void> RedirectSession::linger() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  const TimeLimit limit(socket_.get_executor(), kLingerLimit, [this] { end_both(); });
  std::array<char, 4096> discarded;
  for (;;) {
    const auto [error, _] = co_await socket_.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
  }
}

// On a connection of its own; the whole response has to come within response-head-timeout, and be taken.
awaitable<void> RedirectSession::pass_on_challenge(RequestParser& request) {
  const http::verb method = request.get().method();
  Backend& servers = *client_.backends.fallback;
  backend_ = std::make_shared<BackendConnection>(servers.executor());
  if (const error_code error = co_await servers.connect(*backend_)) {
    const Fault fault = fault_of_connect(error);
    std::string why;  // named here: GCC 12 destroys temporaries of a conditional twice inside of a co_await
    if (fault == Fault::unreachable) why = backend_->reason_of(error);
    co_return co_await answer_fault(fault, method, why);
  }
  bool passing_on = false;
  const TimeLimit limit(servers.executor(), servers.settings().response_head_timeout, [this, &passing_on] {
    backend_->interrupt();
    if (passing_on) end_both();
  });
  request.get().keep_alive(false);
  MessageWriter writer(request.get());
  static_cast<void>(co_await writer.write_head(backend_->socket));  // a failure shows in the response
  std::optional<ResponseParser> response;
  std::string reason = "only interim responses";
  for (int i = 0; i < kMostInterimResponses; ++i) {
    response.emplace().skip(method == http::verb::head);
    const bool read = co_await read_response(*response, reason);
    if (!read) break;
    if (response->get().result_int() < 200) continue;
    passing_on = true;
    co_return co_await pass_on(*response);
  }
  co_await answer_fault(limit.expired() ? Fault::response_timed_out : Fault::bad_response, method, reason);
}

awaitable<bool> RedirectSession::read_response(ResponseParser& response, std::string& reason) {
  const MessageRead read = co_await tlsd::read_response(backend_->socket, backend_->buffer, response);
  const bool switches =
      read.end == MessageRead::End::complete && response.get().result() == http::status::switching_protocols;
  if (read.end == MessageRead::End::complete && !switches) co_return true;
  reason = backend_->socket.tls_failure();
  if (switches) reason = "101 (Switching Protocols) to something that the request did not ask for";
  if (reason.empty()) reason = read.reason;
  co_return false;
}

awaitable<void> RedirectSession::pass_on(ResponseParser& response) {
  auto& message = response.get();
  prepare_response(message);
  if (version_ < 11) {
    message.erase(http::field::transfer_encoding);
  } else if (response.need_eof()) {
    message.chunked(true);
  }
  message.keep_alive(false);
  MessageWriter writer(message);
  const RelayResult result =
      co_await relay_body(backend_->socket, backend_->buffer, response, socket_, writer, [](RelayWait) {});
  const bool by_client = cut_ || result.end == RelayResult::End::output_failed;
  write_access(message.result_int(), response.content_length().value_or(0),
               result.end == RelayResult::End::complete ? RelayOutcome::complete
               : cut_                                   ? RelayOutcome::server
               : by_client                              ? RelayOutcome::client
                                                        : RelayOutcome::backend);
  if (result.end == RelayResult::End::complete) {
    client_.metrics.request(message.result_int());
    co_return co_await linger();
  }
  client_.metrics.response_broken(cut_ ? BrokenBy::server : by_client ? BrokenBy::client : BrokenBy::backend);
  if (by_client) co_return;
  client_.metrics.backend_fault(BackendFault::broken_off);
  client_.log.warn(client_.endpoint, fmt::format("response to a challenge of ACME broken off: {}: {}",
                                                 server(), backend_->reason_of(result.error)));
}

std::string RedirectSession::server() const {
  return "backend " + client_.listener.settings.backend +
         (backend_->server.empty() ? "" : ", " + backend_->server);
}

awaitable<void> RedirectSession::answer_fault(Fault fault, http::verb method, std::string_view reason) {
  if (cut_) co_return client_.metrics.response_broken(BrokenBy::server);
  const FaultAnswer& kind = answer_for(fault);
  if (kind.backend_fault) client_.metrics.backend_fault(*kind.backend_fault);
  client_.log.warn(client_.endpoint, fmt::format("challenge of ACME answered with {}: {}: {}{}",
                                                 static_cast<unsigned>(kind.status), server(), kind.text,
                                                 reason.empty() ? "" : fmt::format(" ({})", reason)));
  co_await answer(kind.status, kind.text, method, {});
}

}  // namespace keystay::tlsd
