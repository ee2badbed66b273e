#include "tlsd/ticket_rotation.h"

#include <algorithm>
#include <exception>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace keystay::tlsd {
namespace {

// The longest time that an expired key stays in memory, and between two tries to make one that is missing. A
// fixed pause instead of the end of a period, because clocks are set and machines sleep.
constexpr std::chrono::milliseconds kLongestPause{10000};

}  // namespace

TicketRotation::TicketRotation(Executor control, BlockingThread& thread, Metrics& metrics)
    : control_(control), thread_(thread), metrics_(metrics), pause_(control) {}

void TicketRotation::use(std::shared_ptr<TicketKeys> keys) {
  if (keys_ != keys) failure_.clear();
  keys_ = std::move(keys);
  metrics_.ticket_keys(keys_ ? keys_->size() : 0);
  if (keys_) look_again();
}

void TicketRotation::stop() {
  stopped_ = true;
  pause_.cancel();
}

void TicketRotation::look_again() {
  if (stopped_) return;
  pause_.expires_after(std::min(kLongestPause, keys_->settings().rotation / 4));
  pause_.async_wait([this](error_code error) {
    if (!error) look();
  });
}

void TicketRotation::look() {
  if (!keys_) return;
  const auto now = std::chrono::system_clock::now();
  keys_->expire(now);
  metrics_.ticket_keys(keys_->size());
  if (at_work_ || !keys_->needs_refresh(now)) return look_again();
  at_work_ = true;
  // The executor by value: at the end of the process this object may go before the thread.
  thread_.post([this, control = control_, keys = keys_, now] {
    std::size_t made = 0;
    std::string failure;
    try {
      made = keys->refresh(now);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    asio::post(control, [this, keys = keys.get(), made, failure] { end(keys, made, failure); });
  });
}

void TicketRotation::end(const TicketKeys* keys, std::size_t made, const std::string& failure) {
  at_work_ = false;
  if (keys == keys_.get()) {
    metrics_.ticket_keys(keys_->size());
    if (failure.empty()) {
      metrics_.ticket_keys_made();
      spdlog::info("session tickets: {} made for the time to come; {} keys open tickets", made,
                   keys_->size());
    } else {
      metrics_.ticket_keys_failed();
      if (failure != failure_)
        spdlog::error("session tickets: a key is missing, it is tried again: {}", failure);
    }
    failure_ = failure;
  }
  if (keys_) look_again();
}

}  // namespace keystay::tlsd
