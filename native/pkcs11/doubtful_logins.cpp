#include "native/pkcs11/doubtful_logins.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>

namespace keystay::pkcs11 {
namespace {

using namespace std::chrono_literals;

// Longer than another process takes to write a token's file.
constexpr auto kFirstPause = 40ms;
constexpr auto kSecondPause = 1000ms;
constexpr auto kLongestPause = 60000ms;

bool contains(const std::vector<Pin>& pins, const Pin& pin) {
  return std::ranges::any_of(pins, [&](const Pin& known) { return known.equals(pin); });
}

}  // namespace

std::chrono::milliseconds DoubtfulLogins::pause_after(unsigned failures) noexcept {
  if (failures < 2) return failures == 0 ? 0ms : kFirstPause;
  const unsigned doublings = std::min(failures - 2, 10U);
  return std::min<std::chrono::milliseconds>(kSecondPause * (1U << doublings), kLongestPause);
}

void DoubtfulLogins::add(const Error& error, std::optional<Pin> pin, CK_FLAGS token_flags) {
  if (failures_++ == 0) count_was_low_ = (token_flags & CKF_USER_PIN_COUNT_LOW) != 0;
  last_ = error;
  if (pin && !contains(pins_, *pin)) pins_.push_back(std::move(*pin));
  retry_at_.store((Clock::now() + pause_after(failures_)).time_since_epoch().count(),
                  std::memory_order_release);
}

void DoubtfulLogins::clear() {
  if (failures_ == 0) return;
  failures_ = 0;
  last_.reset();
  pins_.clear();
  retry_at_.store(Clock::time_point::min().time_since_epoch().count(), std::memory_order_release);
}

void DoubtfulLogins::wait_for_turn(const Pin* pin, Deadline deadline) const {
  if (!last_ || (pin && !contains(pins_, *pin))) return;
  const Clock::time_point when = retry_at();
  if (paused() || when > deadline) throw failure_until(when);
  std::this_thread::sleep_until(when);
}

std::vector<Pin> DoubtfulLogins::take_counted(CK_FLAGS token_flags) {
  if (pins_.empty() || count_was_low_ || !(token_flags & CKF_USER_PIN_COUNT_LOW)) return {};
  std::vector<Pin> counted = std::move(pins_);
  clear();
  return counted;
}

bool DoubtfulLogins::paused() const noexcept { return retry_at() > Clock::now() + kFirstPause; }

DoubtfulLogins::Clock::time_point DoubtfulLogins::retry_at() const noexcept {
  return Clock::time_point(Clock::duration(retry_at_.load(std::memory_order_acquire)));
}

Error DoubtfulLogins::failure_until(Clock::time_point when) const {
  const auto left = std::chrono::ceil<std::chrono::seconds>(when - Clock::now());
  std::string message = last_->what();
  message += " (C_Login is not tried again for " + std::to_string(std::max<long>(left.count(), 1)) +
             " s: the token may count each failure as a wrong PIN)";
  return last_->code() ? Error(*last_->code(), std::move(message))
                       : Error(last_->error_class(), std::move(message));
}

}  // namespace keystay::pkcs11
