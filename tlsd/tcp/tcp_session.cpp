#include "tlsd/tcp/tcp_session.h"

#include <fmt/format.h>

#include "tlsd/starttls/protocol.h"
#include "tlsd/tcp/proxy_protocol.h"
#include "tlsd/tcp/relay_report.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

// In the access log.
constexpr unsigned kSessionCompleted = 200;  // whoever ended it
constexpr unsigned kBadGateway = 502;        // no server could be reached
constexpr std::size_t kMostGreeting = 8192;
constexpr std::size_t kGreetingPiece = 512;

}  // namespace

TcpSession::TcpSession(const TlsClient& client)
    : client_(client),
      servers_(client.backends.find(client.listener.routes, client.stream.agreed().server_name, {})) {}

awaitable<void> TcpSession::run() {
  if (const error_code error = co_await connect()) co_return report_unreachable(error);
  const bool greeted = co_await take_greeting();
  if (!greeted) co_return;
  RelayEnd end = co_await relay_bytes(client_.stream, buffer_, *backend_,
                                      client_.listener.settings.idle_timeout, client_.metrics);
  servers_.remember_session(*backend_);
  if (cut_) end = {RelayOutcome::server, {}};
  report_relay(end, "connection", client_.endpoint, server(), client_.metrics, client_.log);
  write_access(end, kSessionCompleted);
}

void TcpSession::cut() noexcept {
  cut_ = true;
  if (backend_) backend_->interrupt();
}

awaitable<error_code> TcpSession::connect() {
  backend_ = std::make_shared<BackendConnection>(servers_.executor());
  if (cut_) co_return asio::error::operation_aborted;
  if (servers_.settings().send_proxy == config::SendProxy::v2)
    backend_->preamble = proxy_header(client_.endpoint, client_.server, client_.stream.agreed());
  co_return co_await servers_.connect(*backend_);
}

// The client of a protocol with STARTTLS has had a greeting before TLS, and waits for none.
awaitable<bool> TcpSession::take_greeting() {
  const config::StartTls starttls = client_.listener.settings.starttls;
  if (starttls == config::StartTls::none) co_return true;
  const auto parse = clear_protocol(starttls).server_greeting;
  if (parse == nullptr) co_return true;
  auto& buffer = backend_->buffer;
  const TimeLimit limit(servers_.executor(), servers_.settings().connect_timeout,
                        [this] { backend_->interrupt(); });
  for (;;) {
    const ServerGreeting greeting = parse({static_cast<const char*>(buffer.cdata().data()), buffer.size()});
    if (greeting.kind == ServerGreeting::Kind::ready) buffer.consume(greeting.size);
    if (greeting.kind == ServerGreeting::Kind::ready || greeting.kind == ServerGreeting::Kind::refusal)
      co_return true;
    if (greeting.kind == ServerGreeting::Kind::other || buffer.size() >= kMostGreeting) {
      report_no_greeting("it sent something else", BackendFault::bad_response);
      co_return false;
    }
    const auto [error, size] =
        co_await backend_->socket.async_read_some(buffer.prepare(kGreetingPiece), kOutcome);
    buffer.commit(size);
    if (error) {
      const bool late = limit.expired();
      report_no_greeting(late ? "none came within connect-timeout" : backend_->reason_of(error),
                         late ? BackendFault::timed_out : BackendFault::closed);
      co_return false;
    }
  }
}

void TcpSession::report_no_greeting(std::string_view reason, BackendFault fault) {
  write_access({cut_ ? RelayOutcome::server : RelayOutcome::backend, {}}, kBadGateway);
  if (cut_) return client_.metrics.relay_ended(RelayOutcome::server);
  client_.metrics.backend_fault(fault);
  client_.metrics.relay_ended(RelayOutcome::backend);
  client_.log.warn(client_.endpoint, fmt::format("connection given up: {}: no greeting of the protocol of "
                                                 "starttls: {}",
                                                 server(), reason));
}

// The client sees the end of its connection without close_notify: nothing was said to it in order.
void TcpSession::report_unreachable(error_code error) {
  write_access({cut_ ? RelayOutcome::server : RelayOutcome::backend, error}, kBadGateway);
  if (cut_) return client_.metrics.relay_ended(RelayOutcome::server);
  const bool late = error == asio::error::timed_out;
  client_.metrics.backend_fault(connect_fault(error));
  client_.metrics.relay_ended(RelayOutcome::backend);
  client_.log.warn(client_.endpoint, fmt::format("connection given up: {} cannot be reached{}: {}", server(),
                                                 late ? " in time" : "", backend_->reason_of(error)));
}

// The status is that of nginx for a session of its module "stream".
void TcpSession::write_access(const RelayEnd& end, unsigned status) {
  if (!client_.access_log.active()) return;
  AccessRecord record{
      .kind = AccessRecord::Kind::connection,
      .begin = wall_begin_,
      .duration = Clock::now() - begin_,
      .client = client_.endpoint,
      .status = status,
      .bytes_in = client_.stream.bytes_read(),
      .bytes_out = client_.stream.bytes_written(),
      .body_bytes = client_.stream.bytes_written(),
      .backend = servers_.name(),
      .server = backend_->server,
      .end = end.outcome,
      .tls = client_.stream.agreed(),
      .identity = client_.stream.client(),
  };
  client_.access_log.write(record);
}

std::string TcpSession::server() const {
  const bool known = backend_ && !backend_->server.empty();
  return "backend " + servers_.name() + (known ? ", " + backend_->server : "");
}

}  // namespace keystay::tlsd
