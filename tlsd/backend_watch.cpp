#include "tlsd/backend_watch.h"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "tlsd/event_loop.h"
#include "tlsd/server_check.h"

namespace keystay::tlsd {

BackendWatch::BackendWatch(Executor executor, BlockingThread& resolver, std::optional<TlsThread>& thread,
                           std::shared_ptr<BackendServers> servers)
    : executor_(executor),
      resolver_(resolver),
      thread_(thread),
      servers_(std::move(servers)),
      check_pause_(executor),
      resolve_pause_(executor) {}

void BackendWatch::start() {
  if (servers_->settings().health_check) check_all();
  if (servers_->has_names()) resolve_later();
}

void BackendWatch::stop() {
  stopped_ = true;
  check_pause_.cancel();
  resolve_pause_.cancel();
  if (!servers_->settings().health_check) return;
  for (const ServerPlace& place : servers_->places()) place.state->checks_ended();
}

// The next round is certain before this one begins, whatever exception ends it.
void BackendWatch::check_all() {
  check_pause_.expires_after(servers_->settings().health_check->interval);
  check_pause_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->stopped_) self->check_all();
  });
  for (ServerPlace& place : servers_->places()) {
    asio::co_spawn(executor_, check_one(shared_from_this(), std::move(place)),
                   [self = shared_from_this()](const std::exception_ptr& failure) {
                     if (failure)
                       spdlog::error("backend {}: a health check was given up: {}", self->servers_->name(),
                                     description(failure));
                   });
  }
}

awaitable<void> BackendWatch::check_one(std::shared_ptr<BackendWatch> watch, ServerPlace place) {
  const config::HealthCheck check = *watch->servers_->settings().health_check;
  const std::shared_ptr<BackendServer> state = place.state;
  const std::string reason =
      co_await check_server(watch->executor_, std::move(place), watch->servers_, *watch->thread_);
  if (watch->stopped_) co_return;
  if (reason.empty()) {
    state->check_passed(check.rise);
  } else {
    state->check_failed(check.fall, reason);
  }
}

void BackendWatch::resolve_later() {
  resolve_pause_.expires_after(servers_->settings().resolve_interval);
  resolve_pause_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && !self->stopped_) self->resolve();
  });
}

void BackendWatch::resolve() {
  resolver_.post([self = shared_from_this()] {
    try {
      self->servers_->resolve();
    } catch (const std::exception&) {
      // A name that has never had an address: the start has told of it.
    }
    asio::post(self->executor_, [self] {
      if (!self->stopped_) self->resolve_later();
    });
  });
}

}  // namespace keystay::tlsd
