#include "tlsd/accept/connection.h"

#include <algorithm>
#include <array>

#include <boost/asio/write.hpp>
#include <boost/beast/http/write.hpp>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/http/answer.h"
#include "tlsd/starttls/cancel_session.h"

namespace keystay::tlsd {
namespace {

constexpr std::chrono::seconds kPlainHttpLimit{5};
constexpr std::chrono::seconds kAlertLimit{1};
// How much a client may go on to send that is to read an answer or an alert.
constexpr std::size_t kMostDiscarded = 262144;

tcp::endpoint remote_endpoint(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? tcp::endpoint() : to_tcp(endpoint);
}

tcp::endpoint local_endpoint(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.local_endpoint(error);
  return error ? tcp::endpoint() : to_tcp(endpoint);
}

std::string_view description(Handshake handshake) {
  switch (handshake) {
    case Handshake::refused:
      return "TLS handshake failed: ";
    case Handshake::client_certificate:
    case Handshake::unknown_name:
      return "TLS handshake refused: ";
    case Handshake::client_address:
    case Handshake::proxy_header:
    case Handshake::address_connections:
    case Handshake::address_rate:
    case Handshake::starttls:
      return "refused: ";
    case Handshake::sign_failed:
      return "TLS handshake failed, the key could not sign: ";
    case Handshake::timed_out:
      return "TLS handshake timed out";
    case Handshake::plain_http:
      return "plain text on a TLS port";
    default:
      return "";
  }
}

bool sends_alert(Handshake handshake) {
  return handshake == Handshake::refused || handshake == Handshake::client_certificate ||
         handshake == Handshake::unknown_name || handshake == Handshake::sign_failed;
}

}  // namespace

Connection::Connection(Socket socket, ConnectionLimit::Place place, ListenerOnThread& listener,
                       TlsThread& tls)
    : place_(std::move(place)),
      listener_(listener),
      snapshot_(listener.snapshot),
      backends_(listener.backends),
      client_(remote_endpoint(socket)),
      server_(local_endpoint(socket)),
      stream_(std::move(socket), snapshot_->tls, tls) {
  listener_.metrics.connections().Increment();
}

Connection::~Connection() { listener_.metrics.connections().Decrement(); }

awaitable<void> Connection::run() {
  const auto handshake_end = Clock::now() + snapshot_->settings.handshake_timeout;
  const bool open_to_client = co_await open(handshake_end);
  if (!open_to_client) co_return;
  const bool in_clear = snapshot_->settings.redirect || !cancel_request_.empty();
  const bool ready = in_clear || co_await shake_hands(handshake_end);
  if (!ready) co_return;
  const TlsClient client{weak_from_this(),     stream_,         client_,           server_,
                         *snapshot_,           *backends_,      listener_.metrics, listener_.log,
                         listener_.access_log, listener_.health};
  if (cancel_request_.empty()) {
    handler_ = make_protocol_handler(client);
  } else {
    handler_ = std::make_unique<CancelSession>(client, std::move(cancel_request_));
  }
  if (draining_) handler_->drain();
  if (cut_) handler_->cut();
  co_await handler_->run();
}

awaitable<bool> Connection::shake_hands(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  const HandshakeResult result = co_await stream_.handshake(std::max(left, std::chrono::milliseconds(1)));
  report(result);
  // Other protocols have no plain-text error that a client would show to its user.
  const bool speaks_http = snapshot_->settings.mode == config::ListenerMode::http;
  if (result.handshake == Handshake::plain_http && speaks_http) co_await answer_plain_http();
  if (sends_alert(result.handshake)) co_await let_alert_be_read();
  co_return result.handshake == Handshake::full || result.handshake == Handshake::resumed;
}

void Connection::report(const HandshakeResult& result) {
  listener_.metrics.handshake(result.handshake);
  const auto text = description(result.handshake);
  if (text.empty()) return;
  // A key that cannot sign is no doing of the client's.
  if (result.handshake == Handshake::sign_failed)
    return listener_.log.warn(client_, std::string(text) + result.reason);
  listener_.log.write(client_, std::string(text) + result.reason);
}

awaitable<void> Connection::answer_plain_http() {
  const TimeLimit limit = time_to_leave(kPlainHttpLimit);
  Answer answer =
      make_answer(http::status::bad_request, "this port speaks TLS: use https:// in front of the address",
                  http::verb::get, snapshot_->error_pages.get());
  co_await http::async_write(stream_.socket(), answer, kOutcome);
  co_await discard_input();
}

awaitable<void> Connection::let_alert_be_read() {
  const TimeLimit limit = time_to_leave(kAlertLimit);
  co_await discard_input();
}

TimeLimit Connection::time_to_leave(std::chrono::seconds time) {
  Socket& socket = stream_.socket();
  return TimeLimit(socket.get_executor(), time, [&socket] {
    error_code ignored;
    socket.shutdown(Socket::shutdown_both, ignored);
  });
}

// Closing a socket with unread bytes sends a reset, which discards what the client has not read yet: an
// answer, or the alert for a certificate, after which a client of TLS 1.3 has already sent its first data.
awaitable<void> Connection::discard_input() {
  Socket& socket = stream_.socket();
  error_code ignored;
  socket.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 4096> discarded;
  for (std::size_t left = kMostDiscarded; left > 0;) {
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(discarded), kOutcome);
    if (error) co_return;
    left -= std::min(left, size);
  }
}

void Connection::drain() noexcept {
  draining_ = true;
  if (handler_) handler_->drain();
}

void Connection::cut() noexcept {
  cut_ = true;
  if (opening_) {
    error_code ignored;
    stream_.socket().shutdown(Socket::shutdown_both, ignored);
  }
  stream_.cut();
  if (handler_) handler_->cut();
}

void Connection::report(std::string_view why) noexcept {
  listener_.metrics.given_up().Increment();
  try {
    listener_.log.write(client_, why);
  } catch (const std::exception&) {
    // Without memory for a line, only the counter shows it.
  }
}

}  // namespace keystay::tlsd
