#include "tlsd/accept/listener.h"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "tlsd/accept/listening_socket.h"
#include "tlsd/event_loop.h"

namespace keystay::tlsd {
namespace {

constexpr int kMostAtOnce = 16;  // then others on this thread have their turn

bool is_out_of_descriptors(error_code error) noexcept {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system;
}

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

// Owned by the coroutine of run(): its end without complete() is that of a coroutine which an exception
// destroyed.
class Listener::Running final {
 public:
  explicit Running(std::weak_ptr<Listener> listener) noexcept : listener_(std::move(listener)) {}
  Running(Running&&) noexcept = default;
  Running& operator=(Running&&) = delete;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (const auto listener = listener_.lock()) listener->spawn_again();
  }

  void complete(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);  // the event loop logs it
    if (const auto listener = std::exchange(listener_, {}).lock()) listener->on_end_();
  }

 private:
  std::weak_ptr<Listener> listener_;  // none once it was moved from or is complete
};

void Listener::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  spawn();
}

void Listener::spawn() {
  asio::co_spawn(
      acceptor_.get_executor(), run(),
      [running = Running(self_)](const std::exception_ptr& failure) mutable { running.complete(failure); });
}

// An exception ended the coroutine: after a pause there is another one.
void Listener::spawn_again() noexcept {
  errors_.Increment();
  pause_.expires_after(AcceptBackoff::kLongest);
  pause_.async_wait([listener = std::weak_ptr(self_)](error_code) {
    if (const auto self = listener.lock()) self->spawn();
  });
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
        to_text(to_tcp(acceptor_.local_endpoint(ignored))), error.message());
  }
  if (is_out_of_descriptors(error)) reserve_.reject_one(acceptor_.native_handle());
  pause_.expires_after(pause);
  co_await pause_.async_wait(kOutcome);
}

error_code Listener::accept(ConnectionLimit::Place place) {
  Socket socket(acceptor_.get_executor());
  error_code error;
  acceptor_.accept(socket, error);
  if (error) return error;
  backoff_.succeeded();
  return serve(std::move(socket), std::move(place));
}

error_code Listener::serve(Socket socket, ConnectionLimit::Place place) {
  try {
    serve_(std::move(socket), std::move(place));
    return {};
  } catch (...) {
    // A new connection needs memory and descriptors: the listener waits, as if accept(2) had failed.
    spdlog::error("a connection could not be served: {}", description(std::current_exception()));
    return make_error_code(boost::system::errc::not_enough_memory);
  }
}

void Listener::accept_backlog() {
  while (auto place = limit_->take_or_enqueue(wait_)) {
    if (accept(*std::move(place))) return;
  }
}

}  // namespace keystay::tlsd
