#include "tlsd/backend.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>

#include <boost/asio/write.hpp>

#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

constexpr std::chrono::seconds kSkipped{5};
constexpr std::size_t kMostIdle = 32;
constexpr std::size_t kIdleBuffer = 4096;  // holds a head and a small body

// Boost's categories are never deleted through their base, whose destructor is not virtual.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class NoServerCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "backend"; }
  std::string message(int) const override { return "none of its servers is in service"; }
};
#pragma GCC diagnostic pop

}  // namespace

error_code no_server() noexcept {
  static const NoServerCategory category;
  return {1, category};
}

BackendFault connect_fault(error_code error) noexcept {
  if (error == no_server()) return BackendFault::no_server;
  return error == asio::error::timed_out ? BackendFault::timed_out : BackendFault::unreachable;
}

ServerUse::ServerUse(std::shared_ptr<BackendServer> server) noexcept : server_(std::move(server)) {
  if (server_) server_->begin_use();
}

ServerUse& ServerUse::operator=(ServerUse&& other) noexcept {
  std::swap(server_, other.server_);
  return *this;
}

ServerUse::~ServerUse() {
  if (server_) server_->end_use();
}

void BackendConnection::interrupt() noexcept {
  interrupted = true;
  socket.shut_down();
}

void BackendConnection::reset() noexcept {
  interrupted = true;
  socket.reset();
}

std::string BackendConnection::reason_of(error_code error) const {
  if (!failure.empty()) return failure;
  std::string reason = socket.tls_failure();
  return reason.empty() ? error.message() : reason;
}

namespace {

SslSession shared(const SslSession& session) noexcept {
  if (session) SSL_SESSION_up_ref(session.get());
  return SslSession(session.get());
}

// An error that says why is in the message, too: the certificate that was not accepted, or OpenSSL's reasons.
awaitable<error_code> start_tls(BackendConnection& connection, const ServerPlace& place,
                                const ConnectTerms& terms) {
  std::string refusal;
  const HandshakeResult result = co_await connection.socket.start_tls(
      terms.tls->new_connection(place.host, terms.session, refusal), terms.thread, terms.limit);
  switch (result.handshake) {
    case Handshake::full:
    case Handshake::resumed:
      co_return error_code();
    case Handshake::timed_out:
      co_return asio::error::timed_out;
    case Handshake::client_closed:
      connection.failure = "it closed the connection during the TLS handshake";
      co_return asio::error::connection_reset;
    case Handshake::stopped:
      co_return asio::error::operation_aborted;
    default:
      break;
  }
  connection.failure = refusal.empty() ? "the TLS handshake failed: " + result.reason : "TLS: " + refusal;
  co_return tls_failed();
}

}  // namespace

awaitable<error_code> connect_to(BackendConnection& connection, const ServerPlace& place,
                                 ConnectTerms terms) {
  connection.server = place.name;
  connection.state = place.state;
  connection.use = ServerUse(place.state);
  connection.failure.clear();
  std::optional<TimeLimit> limit(std::in_place, connection.socket.get_executor(), terms.limit,
                                 [&connection] { connection.socket.cancel(); });
  error_code error = co_await connection.socket.connect(place.endpoint);
  if (!error && !connection.preamble.empty()) {
    const auto [write_error, _] =
        co_await asio::async_write(connection.socket, asio::buffer(connection.preamble), kOutcome);
    error = write_error;
  }
  if (limit->expired()) co_return asio::error::timed_out;
  limit.reset();  // the handshake has its own
  if (error || terms.tls == nullptr) co_return error;
  co_return co_await start_tls(connection, place, terms);
}

Backend::Backend(Executor executor, std::shared_ptr<BackendServers> servers, TlsThread& thread)
    : executor_(executor), shared_(std::move(servers)), thread_(thread), turn_(shared_->next_offset()) {}

Backend::~Backend() {
  for (const auto& connection : idle_) connection->interrupt();
}

// A server that stays is known by its state.
void Backend::update_servers() {
  const std::uint64_t version = shared_->version();
  if (version == version_) return;
  version_ = version;
  Servers fresh;
  for (ServerPlace& place : shared_->places()) {
    const auto known = std::ranges::find_if(
        servers_, [&](const auto& server) { return server->place.state == place.state; });
    fresh.push_back(known != servers_.end() ? *known
                                            : std::make_shared<Server>(Server{std::move(place), {}, {}}));
  }
  servers_ = std::move(fresh);
  std::erase_if(idle_, [this](const BackendConnectionPtr& connection) {
    const bool stays = std::ranges::any_of(
        servers_, [&](const auto& server) { return server->place.state == connection->state; });
    if (!stays) connection->interrupt();
    return !stays;
  });
}

// The best of those that were not tried: one that did not fail a moment ago, then, with least-connections,
// that with the fewest in flight, then that whose turn comes first. Null if no other is in service.
std::shared_ptr<Backend::Server> Backend::next(const Servers& tried) const {
  const auto now = Clock::now();
  const bool counts = settings().balance == config::Balance::least_connections;
  const auto rank = [&](const Server& server) {
    return std::tuple(server.skipped_until > now, counts ? server.place.state->in_flight() : 0);
  };
  std::shared_ptr<Server> best;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto& server = servers_[(turn_ + i) % servers_.size()];
    if (!server->place.state->in_service() || std::ranges::find(tried, server) != tried.end()) continue;
    if (!best || rank(*server) < rank(*best)) best = server;
  }
  return best;
}

awaitable<error_code> Backend::connect(BackendConnection& connection) {
  update_servers();
  Servers tried;
  error_code error = no_server();
  auto server = next(tried);
  ++turn_;
  for (; server; server = next(tried)) {
    const SslSession session = shared(server->session);  // another connection may replace it meanwhile
    error = co_await connect_to(connection, server->place,
                                {shared_->tls(), thread_, settings().connect_timeout, session.get()});
    if (connection.interrupted) break;
    if (!error) {
      server->place.state->reached();
      break;
    }
    server->session.reset();
    server->place.state->failed(connection.reason_of(error));
    server->skipped_until = Clock::now() + kSkipped;
    tried.push_back(std::move(server));
  }
  co_return error;
}

void Backend::remember_session(const BackendConnection& connection) {
  if (shared_->tls() == nullptr) return;
  const auto server = std::ranges::find_if(
      servers_, [&](const auto& known) { return known->place.state == connection.state; });
  if (server == servers_.end()) return;
  if (SslSession session = connection.socket.session()) (*server)->session = std::move(session);
}

BackendConnectionPtr Backend::take_idle() {
  update_servers();
  if (idle_.empty()) return nullptr;
  const auto server = next({});
  if (!server) return nullptr;
  for (auto at = idle_.begin(); at != idle_.end();) {
    if ((*at)->state != server->place.state) {
      ++at;
      continue;
    }
    BackendConnectionPtr connection = std::move(*at);
    at = idle_.erase(at);
    connection->socket.cancel();  // the watch that give_back() began
    // What came unasked, and was not yet noticed, would be taken for the response to the next request.
    if (!connection->socket.is_quiet()) continue;
    ++turn_;
    connection->use = ServerUse(connection->state);
    return connection;
  }
  return nullptr;
}

void Backend::give_back(BackendConnectionPtr connection) {
  connection->use = {};
  if (connection->interrupted || idle_.size() >= kMostIdle) return;
  if (connection->buffer.capacity() > kIdleBuffer) connection->buffer.shrink_to_fit();
  remember_session(*connection);
  idle_.push_front(connection);
  watch(std::move(connection));
}

// An idle connection is closed at once when its server closes it or sends bytes that no request has asked
// for. What TLS sends for itself, a ticket for instance, is no reason.
void Backend::watch(BackendConnectionPtr connection) {
  BackendStream& socket = connection->socket;
  socket.async_wait_readable(
      [backend = weak_from_this(), connection = std::move(connection)](error_code error) mutable {
        if (error) return;
        const auto owner = backend.lock();
        if (!owner) return;
        if (connection->socket.is_quiet()) return owner->watch(std::move(connection));
        owner->idle_.remove(connection);
      });
}

}  // namespace keystay::tlsd
