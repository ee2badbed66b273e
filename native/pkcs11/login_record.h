// What processes that were forked from one another remember together of their logins.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "native/pkcs11/doubtful_logins.h"
#include "native/pkcs11/login_turn.h"
#include "native/pkcs11/pin_digest.h"
#include "native/pkcs11/refused_pins.h"
#include "native/pkcs11/siphash.h"

namespace keystay::pkcs11 {

// The PIN that the token accepted last, and when. Thread-safe.
class AcceptedPin final {
 public:
  void set(PinDigest pin) noexcept {
    at_.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed);
    pin_.store(pin, std::memory_order_release);
  }
  void clear() noexcept { pin_.store(kNoPin, std::memory_order_release); }

  // Whether it was this one, less than a second ago.
  [[nodiscard]] bool is(PinDigest pin) const noexcept {
    if (pin_.load(std::memory_order_acquire) != pin) return false;
    const Clock::time_point at(Clock::duration(at_.load(std::memory_order_relaxed)));
    return Clock::now() - at < std::chrono::seconds(1);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::atomic<PinDigest> pin_{kNoPin};
  std::atomic<Clock::rep> at_{0};
};

// Of one token. All of it is lock-free, without pointers, and valid whenever a process ends.
struct LoginRecord {
  std::atomic<std::uint64_t> token{0};  // which; 0: nobody's yet
  LoginTurn turn;
  std::atomic<PinDigest> tried{kNoPin};  // in C_Login now, by the process that has the turn
  RefusedPins refused;
  AcceptedPin accepted;
  DoubtfulLogins doubtful;  // of the process that has the turn
};

// Sixty-four records in memory that children share after a fork; not with a program that one of them
// executes. Past so many tokens, several share a record: then one's doubtful logins, and its turn, make the
// others wait. Thread-safe.
class LoginTable final {
 public:
  // Maps the memory: locked if that is allowed, and kept out of core files. Throws Error (host).
  LoginTable();
  LoginTable(const LoginTable&) = delete;
  LoginTable& operator=(const LoginTable&) = delete;
  ~LoginTable();

  // That of this process and of all that it forks: mapped when this library is loaded. Throws
  // Error (host) if that failed, and fails again.
  [[nodiscard]] static LoginTable& of_process_tree();

  // Random, the same in all processes that share the table.
  [[nodiscard]] const SipHashKey& key() const noexcept;
  // The record of the token with this digest, which is not 0.
  [[nodiscard]] LoginRecord& record(std::uint64_t token) noexcept;

 private:
  struct Shared {
    SipHashKey key;
    std::array<LoginRecord, 64> records;
  };

  Shared* shared_;
};

}  // namespace keystay::pkcs11
