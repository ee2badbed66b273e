#include "tlsd/http/http_session.h"

#include <algorithm>
#include <array>
#include <exception>

#include <fmt/format.h>

#include "tlsd/http/answer.h"
#include "tlsd/http/health_answer.h"
#include "tlsd/http/read_message.h"

namespace keystay::tlsd {
namespace {

constexpr std::size_t kIdleBuffer = 2048;  // holds the head of most requests
constexpr std::chrono::seconds kCloseLimit{5};
constexpr std::chrono::seconds kLingerLimit{2};
constexpr std::chrono::seconds kLastRequestLimit{1};  // for a request to come, once the server began to stop

}  // namespace

HttpSession::HttpSession(const TlsClient& client)
    : client_(client.stream, client.endpoint, client.log, client.metrics),
      listener_(client.listener),
      backends_(client.backends),
      metrics_(client.metrics),
      health_(client.health),
      access_(client) {}

awaitable<void> HttpSession::run() {
  After after = After::keep_alive;
  while (after == After::keep_alive) {
    const bool requested = co_await next_request();
    after = requested ? co_await serve_request() : After::close;
  }
  co_await close(after);
}

void HttpSession::drain() noexcept {
  client_.draining = true;
  if (!idle_) return;
  try {
    limit_last_request();
  } catch (const std::exception&) {
    client_.stream.interrupt();  // no memory for a timer
  }
}

// A client that was not told of the end by `Connection: close` may have sent a request already.
void HttpSession::limit_last_request() {
  last_request_limit_.emplace(client_.stream.get_executor(), kLastRequestLimit, [this] {
    if (idle_) client_.stream.interrupt();
  });
}

void HttpSession::cut() noexcept {
  client_.cut = true;
  if (exchange_ != nullptr) exchange_->interrupt();
}

// Waits for the first byte of a request. False if none came: the client has closed, or was idle for too long.
awaitable<bool> HttpSession::next_request() {
  if (client_.buffer.size() > 0) co_return true;
  if (client_.buffer.capacity() > kIdleBuffer) client_.buffer.shrink_to_fit();

  const TimeLimit limit(client_.stream.get_executor(), listener_.settings.idle_timeout,
                        [this] { client_.stream.interrupt(); });
  if (client_.draining) limit_last_request();
  idle_ = true;
  const auto [error, size] =
      co_await client_.stream.async_read_some(client_.buffer.prepare(kIdleBuffer), kOutcome);
  idle_ = false;
  client_.buffer.commit(size);
  client_.stream.clear_interrupt();
  report_damaged(error);
  co_return !error;
}

awaitable<After> HttpSession::serve_request() {
  RequestParser request;
  const auto request_end = Clock::now() + listener_.settings.request_timeout;
  access_.begin(client_.buffer.size());
  if (const auto after = co_await read_request(request, request_end)) co_return *after;
  client_.begin(request);
  if (asks_for_health(listener_, request)) co_return co_await answer_health(request);
  Exchange exchange(client_, request, request_end, listener_, backends_, metrics_);
  exchange_ = &exchange;
  const After after = co_await exchange.run();
  exchange_ = nullptr;
  client_.count_bytes();
  exchange.count_request();
  access_.end(&request.get(), exchange.outcome(), client_.buffer.size());
  co_return after;
}

awaitable<std::optional<After>> HttpSession::read_request(RequestParser& request,
                                                          Clock::time_point request_end) {
  const auto head_end = std::min(request_end, Clock::now() + listener_.settings.request_head_timeout);
  const TimeLimit limit(client_.stream.get_executor(), head_end, [this] { client_.stream.interrupt(); });
  const HeadRead head =
      co_await read_request_head(client_.stream, client_.buffer, listener_.settings.request_sizes);
  access_.note_line(text(client_.buffer));
  if (limit.expired())
    co_return co_await refuse(http::status::request_timeout, "the request did not arrive in time");
  if (head.end == HeadRead::End::failed) co_return lost_in_head(head.error);
  const MessageRead read = parse_request(head, client_.buffer, request, listener_.settings.request_sizes);
  if (read.end == MessageRead::End::refused) co_return co_await refuse(read.status, read.reason);
  co_return std::nullopt;
}

awaitable<After> HttpSession::refuse(http::status status, std::string_view reason) {
  client_.log.write(client_.endpoint,
                    fmt::format("request refused with {}: {}", static_cast<unsigned>(status), reason));
  metrics_.own_answer(static_cast<unsigned>(status));
  client_.stream.clear_interrupt();
  const TimeLimit limit(client_.stream.get_executor(), kCloseLimit, [this] { client_.stream.interrupt(); });
  Answer answer = make_answer(status, reason, http::verb::get, listener_.error_pages.get());
  RequestOutcome outcome{answer.result_int(), answer.body().size(), Clock::now()};
  const error_code error = co_await client_.send(answer);
  if (error) outcome.end = RelayOutcome::client;
  client_.count_bytes();
  access_.end(nullptr, outcome, client_.buffer.size());
  co_return error ? After::abort : After::linger;
}

awaitable<After> HttpSession::answer_health(const RequestParser& request) {
  const bool keep_alive = request.keep_alive() && !client_.draining;
  const RequestOutcome outcome = co_await tlsd::answer_health(client_, keep_alive, health_, metrics_);
  client_.count_bytes();
  access_.end(&request.get(), outcome, client_.buffer.size());
  if (outcome.end != RelayOutcome::complete) co_return After::abort;
  co_return keep_alive ? After::keep_alive : After::close;
}

// The client, or this server, has ended the connection before the end of a head.
After HttpSession::lost_in_head(error_code error) {
  report_damaged(error);
  metrics_.response_broken(client_.cut ? BrokenBy::server : BrokenBy::client);
  RequestOutcome outcome;
  outcome.end = client_.cut ? RelayOutcome::server : RelayOutcome::client;
  access_.end(nullptr, outcome, client_.buffer.size());
  return After::abort;
}

void HttpSession::report_damaged(error_code error) {
  if (error != tls_failed()) return;
  client_.log.write(client_.endpoint,
                    "connection broken off by the client: what it sent is no TLS, or is damaged");
}

awaitable<void> HttpSession::close(After after) {
  if (after == After::abort) co_return;
  client_.stream.clear_interrupt();
  const TimeLimit limit(client_.stream.get_executor(), kCloseLimit, [this] { client_.stream.interrupt(); });
  co_await client_.stream.close_notify();
  if (after == After::linger) co_await linger();
}

// Below TLS: what the client still sends is of no interest.
awaitable<void> HttpSession::linger() {
  Socket& socket = client_.stream.socket();
  const TimeLimit limit(socket.get_executor(), kLingerLimit, [&socket] {
    error_code ignored;
    socket.shutdown(Socket::shutdown_receive, ignored);
  });
  std::array<char, 4096> discarded;
  while (!limit.expired()) {  // shutdown(2) does not end what goes on to come
    const auto [error, _] = co_await socket.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
  }
}

}  // namespace keystay::tlsd
