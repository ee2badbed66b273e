// C_Logins that failed and did not say whether the PIN was wrong.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/pin.h"

namespace keystay::pkcs11 {

// A vendor's code, a general one, a lost connection: the token may have counted each of them as a wrong PIN
// (PKCS #11 v3.0, section 5.6.8, names the codes for one that is; not every module keeps to them). SoftHSM
// fails so, too, for the moment in which another process writes the token's file. So one failure is repeated
// after a moment, and after each further one in a row comes a pause twice as long.
//
// Only the thread that logs in uses it, except for paused().
class DoubtfulLogins final {
 public:
  using Clock = std::chrono::steady_clock;

  // The pause after so many failures in a row. The thread that logs in waits for the first one's.
  [[nodiscard]] static std::chrono::milliseconds pause_after(unsigned failures) noexcept;

  // `token_flags` are CK_TOKEN_INFO.flags as they were before the login; no PIN: a PIN pad's.
  void add(const Error& error, std::optional<Pin> pin, CK_FLAGS token_flags);
  // After a login that succeeded.
  void clear();

  // Waits out a first failure's pause. Throws the last failure, with the time that is left, in a longer pause
  // and where the wait would last past the deadline. A PIN that was not tried yet is not kept waiting.
  void wait_for_turn(const Pin* pin, Deadline deadline) const;

  // The PINs of these failures, if the token's flags say by now that it counted a wrong PIN, and did not
  // before; they are no longer in doubt then. Otherwise none.
  [[nodiscard]] std::vector<Pin> take_counted(CK_FLAGS token_flags);

  // Whether a login would meet a pause that it does not wait for. For any thread.
  [[nodiscard]] bool paused() const noexcept;

 private:
  [[nodiscard]] Clock::time_point retry_at() const noexcept;
  [[nodiscard]] Error failure_until(Clock::time_point when) const;

  unsigned failures_ = 0;
  std::optional<Error> last_;
  std::vector<Pin> pins_;
  bool count_was_low_ = false;  // CKF_USER_PIN_COUNT_LOW, before the first of them
  std::atomic<Clock::rep> retry_at_{Clock::time_point::min().time_since_epoch().count()};
};

}  // namespace keystay::pkcs11
