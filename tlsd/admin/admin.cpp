#include "tlsd/admin/admin.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "tlsd/admin/group_health.h"
#include "tlsd/admin/status_page.h"
#include "tlsd/event_loop.h"
#include "tlsd/time_limit.h"

namespace keystay::tlsd {
namespace {

// Idle connections are closed to make room for new ones, so that they cannot keep a balancer from /health.
constexpr std::size_t kMostIdle = 64;
constexpr std::size_t kMostConnections = 256;
constexpr std::chrono::seconds kIdleLimit{60};
constexpr char kPrometheusText[] = "text/plain; version=0.0.4; charset=utf-8";

// Nothing but the page's own files, whatever a name in it may try; and no other page may frame it or read it.
constexpr char kContentPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void set_fields_for_browsers(http::fields& fields) {
  fields.set("Content-Security-Policy", kContentPolicy);
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set(http::field::cache_control, "no-store");
}

// The handler that ends a connection. Where an exception destroys the connection's coroutine it is never
// called.
class Served final {
 public:
  explicit Served(Metrics& metrics) noexcept : metrics_(&metrics) {}
  Served(Served&& other) noexcept : metrics_(std::exchange(other.metrics_, nullptr)) {}
  Served& operator=(Served&&) = delete;
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served() {
    if (metrics_ != nullptr) metrics_->admin_given_up().Increment();
  }

  void operator()(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);  // the event loop logs it
    metrics_ = nullptr;
  }

 private:
  Metrics* metrics_;  // null once the connection has ended in order
};

void end(Socket& socket) noexcept {
  error_code ignored;
  socket.cancel(ignored);
  socket.shutdown(Socket::shutdown_both, ignored);
}

}  // namespace

Admin::Admin(Acceptor acceptor, const LibraryContext& library, Health& health, Metrics& metrics,
             const Status& status)
    : library_(library),
      health_(health),
      metrics_(metrics),
      status_(status),
      executor_(acceptor.get_executor()),
      listener_(std::move(acceptor), std::make_shared<ConnectionLimit>(kMostConnections),
                metrics.admin_accept_errors(), [this](Socket socket, ConnectionLimit::Place place) {
                  asio::co_spawn(executor_, serve(std::move(socket), std::move(place)), Served(metrics_));
                }) {}

void Admin::start() {
  listener_.start([] {});
}

awaitable<void> Admin::serve(Socket socket, ConnectionLimit::Place) {
  TimeLimit limit(executor_, kIdleLimit, [&socket] { end(socket); });
  beast::flat_buffer buffer(kMostRequestHead);
  for (bool keep_alive = true; keep_alive; limit.restart()) {
    Request request;
    const bool complete = co_await read(socket, buffer, request);
    if (!complete) co_return;
    const auto target = std::string(request.target());
    Reply result = co_await reply(request.method(), target);
    http::response<http::string_body> response(result.status, request.version(), std::move(result.body));
    response.set(http::field::content_type, beast::string_view(result.content_type));
    set_fields_for_browsers(response);
    response.keep_alive(request.keep_alive());
    if (result.status != http::status::no_content) response.prepare_payload();
    if (request.method() == http::verb::head) response.body().clear();
    const auto [write_error, write_size] = co_await http::async_write(socket, response, kOutcome);
    keep_alive = !write_error && response.keep_alive();
  }
}

awaitable<bool> Admin::read(Socket& socket, beast::flat_buffer& buffer, Request& request) {
  struct Idle {
    std::shared_ptr<std::list<Socket*>> all;
    std::list<Socket*>::iterator mine;
    ~Idle() { all->erase(mine); }
  };
  if (idle_->size() >= kMostIdle) end(*idle_->front());
  const Idle idle{idle_, idle_->insert(idle_->end(), &socket)};
  const auto [error, size] = co_await http::async_read(socket, buffer, request, kOutcome);
  co_return !error;
}

Admin::Reply Admin::health_reply(std::string report) {
  if (report.empty()) return {http::status::no_content, {}};
  return {http::status::internal_server_error, std::move(report)};
}

awaitable<Admin::Reply> Admin::reply(http::verb method, std::string target) {
  if (method != http::verb::get && method != http::verb::head) {
    co_return Reply{http::status::method_not_allowed, "only GET is served here\n"};
  }
  if (target == "/health") co_return co_await health();
  if (target == "/health/groups") co_return health_reply(group_health(library_));
  co_return document(target);
}

Admin::Reply Admin::document(std::string_view target) const {
  if (target == "/metrics") return {http::status::ok, metrics_.text(), kPrometheusText};
  if (target == "/status.json") return {http::status::ok, status_.json(), "application/json"};
  for (const StatusPageFile& file : kStatusPage) {
    if (file.target == target) return {http::status::ok, std::string(file.text), file.content_type};
  }
  return {http::status::not_found, "there are /, /status.json, /health, /health/groups and /metrics\n"};
}

awaitable<Admin::Reply> Admin::health() {
  if (draining_) co_return Reply{http::status::internal_server_error, "the server is stopping\n"};
  co_return health_reply(co_await health_.check());
}

}  // namespace keystay::tlsd
