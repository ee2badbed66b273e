#include "tlsd/accept/address_limits.h"

#include <algorithm>
#include <iterator>

namespace keystay::tlsd {
namespace {

constexpr std::size_t kSubscriber = 8;  // bytes of an IPv6 address: a /64

config::AddressBytes subscriber_of(config::AddressBytes address) {
  if (!config::is_v4(address)) std::fill(address.begin() + kSubscriber, address.end(), std::uint8_t{0});
  return address;
}

void fill(double& tokens, Clock::time_point& filled, std::size_t per_second, Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - filled).count();
  const auto most = static_cast<double>(per_second);
  tokens = std::min(most, tokens + std::max(0.0, seconds) * most);
  filled = now;
}

}  // namespace

AddressLimits::Answer AddressLimits::enter(const config::AddressBytes& address, const Terms& terms,
                                           Clock::time_point now, std::optional<Place>& place) {
  const std::scoped_lock lock(mutex_);
  forget_quiet(terms, now);
  const auto entry = find_or_add(subscriber_of(address), terms, now);
  if (terms.connections > 0 && entry->connections >= terms.connections) return Answer::too_many_connections;
  if (terms.handshakes_per_second > 0) {
    fill(entry->tokens, entry->filled, terms.handshakes_per_second, now);
    if (entry->tokens < 1) return Answer::too_many_handshakes;
    entry->tokens -= 1;
  }
  place.emplace(shared_from_this(), entry);
  if (entry->connections++ == 0) busy_.splice(busy_.begin(), quiet_, entry);
  return Answer::admitted;
}

std::size_t AddressLimits::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

// Also that of a refusal: it stays where it is, at the front if it is quiet.
AddressLimits::Entries::iterator AddressLimits::find_or_add(const config::AddressBytes& address,
                                                            const Terms& terms, Clock::time_point now) {
  const auto known = entries_.find(address);
  if (known != entries_.end()) {
    const auto entry = known->second;
    if (entry->connections == 0) quiet_.splice(quiet_.begin(), quiet_, entry);
    return entry;
  }
  quiet_.push_front({address, 0, static_cast<double>(terms.handshakes_per_second), now});
  try {
    entries_.emplace(address, quiet_.begin());
  } catch (...) {
    quiet_.pop_front();
    throw;
  }
  return quiet_.begin();
}

// After a second without a handshake the bucket is full, and the entry says no more than a new one would. Two
// of them for each that may come: the table shrinks, and no call takes long.
void AddressLimits::forget_quiet(const Terms& terms, Clock::time_point now) {
  for (int i = 0; i < 2 && !quiet_.empty(); ++i) {
    const Entry& oldest = quiet_.back();
    const bool full = terms.handshakes_per_second == 0 || now - oldest.filled >= std::chrono::seconds(1);
    if (!full && quiet_.size() < kMostQuiet) return;
    entries_.erase(oldest.address);
    quiet_.pop_back();
  }
}

void AddressLimits::leave(Entries::iterator entry) {
  const std::scoped_lock lock(mutex_);
  if (--entry->connections == 0) quiet_.splice(quiet_.begin(), busy_, entry);
}

}  // namespace keystay::tlsd
