#include "native/keys/lane_operations.h"

#include <algorithm>
#include <chrono>

#include "native/pkcs11/error.h"

namespace keystay::keys {

using pkcs11::Deadline;
using pkcs11::Error;

Lanes::Lanes(std::vector<std::shared_ptr<pkcs11::Token>> lanes)
    : lanes_(std::move(lanes)), state_([this] { return std::make_unique<State>(lanes_.size()); }) {}

// One that was broken comes after those that work.
std::optional<std::size_t> Lanes::free_lane(const State& state) const {
  std::optional<std::size_t> broken;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (state.taken[i]) continue;
    if (!lanes_[i]->failure()) return i;
    if (!broken) broken = i;
  }
  return broken;
}

Lanes::Lease Lanes::take(Deadline deadline) {
  State& state = state_.get();
  pkcs11::MutexLock lock(state.mutex);
  std::optional<std::size_t> lane;
  while (!(lane = free_lane(state))) {
    if (lock.wait_until(state.returned, deadline) == std::cv_status::timeout && !free_lane(state))
      throw Error(pkcs11::ErrorClass::busy, "all " + std::to_string(lanes_.size()) +
                                                " connections to the token's machine were busy until the "
                                                "time-out; raise its `lanes`");
  }
  state.taken[*lane] = true;
  return {*this, *lane};
}

void Lanes::give_back(std::size_t index) noexcept {
  State& state = state_.get();
  {
    const pkcs11::MutexLock lock(state.mutex);
    state.taken[index] = false;
  }
  state.returned.notify_one();
}

pkcs11::Token* Lanes::any() {
  State& state = state_.get();
  const pkcs11::MutexLock lock(state.mutex);
  return lanes_[free_lane(state).value_or(0)].get();
}

std::optional<Error> Lanes::failure() {
  std::optional<Error> failure;
  for (const auto& lane : lanes_) {
    std::optional<Error> own = lane->failure();
    if (!own && lane->is_open()) return std::nullopt;
    if (own) failure = std::move(own);
  }
  return failure;
}

void Lanes::recover() {
  for (const auto& lane : lanes_)
    if (lane->failure()) lane->recover();
  lanes_.front()->recover();
}

void Lanes::renew_sessions() {
  for (const auto& lane : lanes_)
    if (lane->is_open()) lane->renew_sessions();
}

namespace {

bool may_pass_elsewhere(const Error& error) {
  return error.error_class() == pkcs11::ErrorClass::session_lost ||
         error.error_class() == pkcs11::ErrorClass::server;
}

}  // namespace

// A lane repairs itself once. Where it is lost again meanwhile, there is time left, and all that is done here
// may be done twice: once more on another one.
std::size_t LaneOperations::perform(const pkcs11::KeyReference& key, const pkcs11::Operation& operation,
                                    pkcs11::ByteView data, std::span<std::uint8_t> result,
                                    Deadline deadline) {
  if (trials_ == Trials::one)
    return lanes_->take(deadline)->attempts().perform(key, operation, data, result, deadline);
  for (std::size_t left = std::max<std::size_t>(lanes_->size(), 2);; --left) {
    try {
      return lanes_->take(deadline)->perform(key, operation, data, result, deadline);
    } catch (const Error& error) {
      if (left == 1 || !may_pass_elsewhere(error) || std::chrono::steady_clock::now() >= deadline) throw;
    }
  }
}

}  // namespace keystay::keys
