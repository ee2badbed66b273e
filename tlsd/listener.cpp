#include "tlsd/listener.h"

#include <spdlog/spdlog.h>

#include "tlsd/listening_socket.h"

namespace keystay::tlsd {
namespace {

constexpr int kMostAtOnce = 16;  // then others on this thread have their turn

}  // namespace

Listener::Listener(Acceptor acceptor, std::shared_ptr<ConnectionLimit> limit, prometheus::Counter& errors,
                   Serve serve)
    : acceptor_(std::move(acceptor)),
      limit_(std::move(limit)),
      errors_(errors),
      serve_(std::move(serve)),
      wait_(std::make_shared<AsyncWait>(acceptor_.get_executor())),
      pause_(acceptor_.get_executor()) {
  acceptor_.non_blocking(true);
}

awaitable<void> Listener::run() {
  while (!stopping_) {
    const auto [error] = co_await acceptor_.async_wait(Acceptor::wait_read, kOutcome);
    if (!error) co_await accept_some();
  }
  accept_backlog();
  error_code ignored;
  acceptor_.close(ignored);
}

// A place comes first, so that a client waits in the kernel's queue and not in a server that is full; but
// only when there is a client, for the threads of a listener share the places.
awaitable<void> Listener::accept_some() {
  for (int i = 0; i < kMostAtOnce; ++i) {
    auto place = co_await take_place();
    if (!place) co_return;
    const error_code error = accept(*std::move(place));
    if (error == asio::error::would_block) co_return;
    if (error) co_await back_off(error);
  }
}

void Listener::stop() noexcept {
  stopping_ = true;
  error_code ignored;
  acceptor_.cancel(ignored);
  pause_.cancel();
  wait_->notify();
}

// Nothing after stop().
awaitable<std::optional<ConnectionLimit::Place>> Listener::take_place() {
  while (!stopping_) {
    wait_->reset();
    if (auto place = limit_->take_or_enqueue(wait_)) co_return place;
    co_await wait_->wait();
  }
  co_return std::nullopt;
}

awaitable<void> Listener::back_off(error_code error) {
  errors_.Increment();
  const bool first = backoff_.begins();
  const auto pause = backoff_.after(error);
  if (pause == std::chrono::milliseconds::zero()) co_return;
  if (first) {
    error_code ignored;
    spdlog::error(
        "cannot accept connections on {}: {}; raise the limit (LimitNOFILE) or lower max-connections",
        to_text(acceptor_.local_endpoint(ignored)), error.message());
  }
  reserve_.turn_one_away(acceptor_.native_handle());
  pause_.expires_after(pause);
  co_await pause_.async_wait(kOutcome);
}

error_code Listener::accept(ConnectionLimit::Place place) {
  Socket socket(acceptor_.get_executor());
  error_code error;
  acceptor_.accept(socket, error);
  if (error) return error;
  backoff_.succeeded();
  serve_(std::move(socket), std::move(place));
  return error;
}

void Listener::accept_backlog() {
  while (auto place = limit_->take_or_enqueue(wait_)) {
    if (accept(*std::move(place))) return;
  }
}

}  // namespace keystay::tlsd
