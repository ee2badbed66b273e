#include "tlsd/watchdog.h"

#include <cstdint>
#include <utility>

#include <boost/asio/post.hpp>
#include <unistd.h>

#include "tlsd/sd_notify.h"

namespace keystay::tlsd {
std::optional<std::chrono::microseconds> Watchdog::period_of_environment() {
  const auto own = static_cast<std::uint64_t>(::getpid());
  const auto limit = service_number("WATCHDOG_USEC");
  if (!limit || *limit == 0 || service_number("WATCHDOG_PID").value_or(own) != own) return std::nullopt;
  return std::chrono::microseconds(*limit / 2);
}

Watchdog::Watchdog(asio::io_context& control, std::vector<asio::io_context*> threads,
                   std::chrono::microseconds period, void (*alive)() noexcept)
    : control_(control),
      threads_(std::move(threads)),
      period_(period),
      alive_(alive),
      timer_(control.get_executor()) {}

void Watchdog::start() {
  alive_();
  wait();
}

void Watchdog::wait() {
  timer_.expires_after(period_);
  timer_.async_wait([this](error_code error) {
    if (error) return;
    ask();
    wait();
  });
}

// A thread that has not answered yet is not asked again: the service manager hears nothing until it does.
void Watchdog::ask() {
  if (threads_.empty()) return alive_();
  if (awaited_ > 0) return;
  awaited_ = threads_.size();
  for (asio::io_context* thread : threads_)
    asio::post(*thread, [this] { asio::post(control_, [this] { answered(); }); });
}

void Watchdog::answered() {
  if (--awaited_ == 0) alive_();
}

}  // namespace keystay::tlsd
