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

}  // namespace

std::chrono::milliseconds DoubtfulLogins::pause_after(unsigned failures) noexcept {
  if (failures < 2) return failures == 0 ? 0ms : kFirstPause;
  const unsigned doublings = std::min(failures - 2, 10U);
  return std::min<std::chrono::milliseconds>(kSecondPause * (1U << doublings), kLongestPause);
}

Error DoubtfulLogins::error(CK_RV code) {
  if (code == kNotReturned) {
    return {ErrorClass::server,
            "C_Login: a process that shares the token's login with this one ended in it, or is in it still"};
  }
  const Error error(code, "C_Login");
  if (code != CKR_USER_PIN_NOT_INITIALIZED) return error;
  // The token has just said that it is: the module saw it while another process wrote it.
  return {ErrorClass::server, std::string(error.what()) + " (the token says that the PIN is set)"};
}

// The number of failures is written last: until then a process that ends here has changed nothing.
void DoubtfulLogins::add(CK_RV code, PinDigest pin, CK_FLAGS token_flags) noexcept {
  const unsigned failures = failures_.load(std::memory_order_relaxed);
  if (failures == 0) count_was_low_.store((token_flags & CKF_USER_PIN_COUNT_LOW) != 0);
  code_.store(code);
  if (pin != kNoPin && !contains(pin)) pins_[next_pin_.fetch_add(1) % pins_.size()].store(pin);
  retry_at_.store((Clock::now() + pause_after(failures + 1)).time_since_epoch().count());
  failures_.store(failures + 1);
}

void DoubtfulLogins::clear() noexcept {
  if (failures_.load() == 0) return;
  failures_.store(0);
  for (std::atomic<PinDigest>& pin : pins_) pin.store(kNoPin);
  retry_at_.store(Clock::time_point::min().time_since_epoch().count());
}

bool DoubtfulLogins::contains(PinDigest pin) const noexcept {
  return std::ranges::any_of(pins_, [&](const auto& known) { return known.load() == pin; });
}

void DoubtfulLogins::wait_out_pause(PinDigest pin, Deadline deadline) const {
  if (failures_.load() == 0 || (pin != kNoPin && !contains(pin))) return;
  const Clock::time_point when = retry_at();
  if (paused() || when > deadline) throw failure_until(when);
  std::this_thread::sleep_until(when);
}

std::vector<PinDigest> DoubtfulLogins::take_counted(CK_FLAGS token_flags) {
  if (failures_.load() == 0 || count_was_low_.load() || !(token_flags & CKF_USER_PIN_COUNT_LOW)) return {};
  std::vector<PinDigest> counted;
  for (const std::atomic<PinDigest>& pin : pins_)
    if (pin.load() != kNoPin) counted.push_back(pin.load());
  if (!counted.empty()) clear();
  return counted;
}

bool DoubtfulLogins::paused() const noexcept { return retry_at() > Clock::now() + kFirstPause; }

DoubtfulLogins::Clock::time_point DoubtfulLogins::retry_at() const noexcept {
  return Clock::time_point(Clock::duration(retry_at_.load()));
}

Error DoubtfulLogins::failure_until(Clock::time_point when) const {
  const Error last = error(code_.load());
  const auto left = std::chrono::ceil<std::chrono::seconds>(when - Clock::now());
  std::string message = last.what();
  message += " (C_Login is not tried again for " + std::to_string(std::max<long>(left.count(), 1)) +
             " s: the token may count each failure as a wrong PIN)";
  return last.code() ? Error(*last.code(), std::move(message))
                     : Error(last.error_class(), std::move(message));
}

}  // namespace keystay::pkcs11
