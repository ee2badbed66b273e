// C_Logins that failed and did not say whether the PIN was wrong.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/pin_digest.h"

namespace keystay::pkcs11 {

// A vendor's code, a general one, a lost connection: the token may have counted each of them as a wrong PIN
// (PKCS #11 v3.0, section 5.6.8, names the codes for one that is; not every module keeps to them). SoftHSM
// fails so, too, for the moment in which another process writes the token's file. So one failure is repeated
// after a moment, and after each further one in a row comes a pause twice as long.
//
// Of one token, in memory that processes share (login_record.h), which is lock-free and valid at every
// moment. The process and thread whose turn it is to log in use it; paused() is for any. What a second
// process does at the same time may lose a failure's PIN or a pause, not more.
class DoubtfulLogins final {
 public:
  using Clock = std::chrono::steady_clock;

  // Instead of the return value of a C_Login that has not returned: its process ended in it, or hangs.
  static constexpr CK_RV kNotReturned = CKR_OK;

  // The pause after so many failures in a row. The thread that logs in waits for the first one's.
  [[nodiscard]] static std::chrono::milliseconds pause_after(unsigned failures) noexcept;
  // The error of such a C_Login.
  [[nodiscard]] static Error error(CK_RV code);

  // `token_flags` are CK_TOKEN_INFO.flags as they were before the login; kNoPin: a PIN pad's.
  void add(CK_RV code, PinDigest pin, CK_FLAGS token_flags) noexcept;
  // After a login that succeeded.
  void clear() noexcept;

  // Waits out a first failure's pause. Throws the last failure, with the time that is left, in a longer pause
  // and where the wait would last past the deadline. A PIN that was not tried yet is not kept waiting.
  void wait_out_pause(PinDigest pin, Deadline deadline) const;

  // The PINs of these failures, if the token's flags say by now that it counted a wrong PIN, and did not
  // before; they are no longer in doubt then. Otherwise none.
  [[nodiscard]] std::vector<PinDigest> take_counted(CK_FLAGS token_flags);

  // Whether a login would meet a pause that it does not wait for.
  [[nodiscard]] bool paused() const noexcept;

 private:
  [[nodiscard]] bool contains(PinDigest pin) const noexcept;
  [[nodiscard]] Clock::time_point retry_at() const noexcept;
  [[nodiscard]] Error failure_until(Clock::time_point when) const;

  std::atomic<std::uint32_t> failures_{0};        // in a row; what else is here counts if there is one
  std::atomic<CK_RV> code_{CKR_OK};               // of the last
  std::array<std::atomic<PinDigest>, 8> pins_{};  // the last eight
  std::atomic<std::uint32_t> next_pin_{0};
  std::atomic<bool> count_was_low_{false};  // CKF_USER_PIN_COUNT_LOW, before the first of them
  std::atomic<Clock::rep> retry_at_{Clock::time_point::min().time_since_epoch().count()};
};

}  // namespace keystay::pkcs11
