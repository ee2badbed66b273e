#include "provider/async/async_request.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <openssl/crypto.h>

namespace keystay::provider {
namespace {

// How often a resumed job checks whether the thread that woke it has returned from the callback. It nearly
// always has.
constexpr int kLooks = 10'000;

}  // namespace

AsyncRequest::AsyncRequest(const JobOperation& wanted, Wake wake)
    : key_(wanted.key),
      scheme_(wanted.scheme),
      data_(wanted.data.begin(), wanted.data.end()),
      software_(wanted.software),
      wake_(std::move(wake)),
      deadline_(key_.operations().deadline()),
      result_(wanted.result.size()) {}

AsyncRequest::~AsyncRequest() { OPENSSL_cleanse(result_.data(), result_.size()); }

void AsyncRequest::run() noexcept {
  if (!pending()) return;
  try {
    result_.resize(perform({key_, scheme_, data_, result_, deadline_}, software_));
  } catch (...) {
    failure_ = current_failure();
  }
  if (end(State::done)) wake();
}

void AsyncRequest::expire() noexcept {
  if (end(State::expired)) wake();
}

void AsyncRequest::abandon() noexcept {
  if (!end(State::abandoned)) wait();
}

bool AsyncRequest::end(State state) noexcept {
  State expected = State::pending;
  return state_.compare_exchange_strong(expected, state, std::memory_order_acq_rel);
}

// The state first: the job may run before wake_ returns.
void AsyncRequest::wake() noexcept {
  wake_();
  woken_.store(true, std::memory_order_release);
  woken_.notify_all();
}

// Waiting is bounded here, for the callback may be waiting for a lock that the resuming application holds.
bool AsyncRequest::finished() const noexcept {
  if (pending()) return false;
  for (int look = 0; look < kLooks && !woken_.load(std::memory_order_acquire); ++look)
    std::this_thread::yield();
  return true;
}

void AsyncRequest::wait() const noexcept { woken_.wait(false, std::memory_order_acquire); }

std::variant<std::size_t, Failure> AsyncRequest::take(std::span<std::uint8_t> result) {
  switch (state_.load(std::memory_order_acquire)) {
    case State::done:
      if (failure_) return std::move(*failure_);
      std::copy(result_.begin(), result_.end(), result.begin());
      return result_.size();
    case State::expired:
      return Failure{
          Reason::token_unavailable,
          key_.operations().name() + " did not answer within its time-out; it hangs or is overloaded"};
    case State::abandoned:
    case State::pending:
      break;
  }
  return Failure{Reason::abandoned, "the application gave up the operation"};
}

}  // namespace keystay::provider
