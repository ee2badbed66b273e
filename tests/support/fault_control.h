// The test's side of the fault module.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "native/pkcs11/cryptoki.h"
#include "tests/support/control_file.h"
#include "tests/support/fault_module/control_block.h"
#include "tests/support/fault_module/cryptoki_function.h"
#include "tests/support/process.h"

namespace keystay::test {

inline constexpr int kEveryCall = -1;

// Orders faults from libkeystay-fault-module.so, which stands in front of the module `target`, in this
// process and in all that inherit its environment. The module maps the control file once, so a process has
// one file, copies of the module apart; every FaultControl starts with all orders withdrawn and all counts at
// zero. Thread-safe.
class FaultControl final {
 public:
  explicit FaultControl(const std::filesystem::path& target);
  FaultControl(const FaultControl&) = delete;
  FaultControl& operator=(const FaultControl&) = delete;
  ~FaultControl();  // withdraws all orders

  // A copy of the fault module at this path, with a copy of `target` behind it: it has faults and counts of
  // its own, so that several of them fail apart from one another in one process. Needs no environment.
  [[nodiscard]] static std::unique_ptr<FaultControl> of_copy(const std::filesystem::path& copy,
                                                             const std::filesystem::path& target);

  // The module to load instead of the target.
  [[nodiscard]] static std::filesystem::path module();
  // The same of a copy.
  [[nodiscard]] const std::filesystem::path& loaded_as() const noexcept { return loaded_as_; }
  // KEYSTAY_FAULT_TARGET and KEYSTAY_FAULT_CONTROL, which are set in this process already.
  [[nodiscard]] Environment environment() const;

  // Withdraws all orders, releases what is held, and sets all counts to zero.
  void reset();

  // The next `times` calls of `function` answer `rv` and do not reach the token. A failing C_Sign ends its
  // operation (PKCS #11 v3.0, section 5.14.2), unless leave_failed_signs_active() was called.
  void fail(Function function, CK_RV rv, int times = 1);
  // The same once so many calls have gone on.
  void fail_after(int passes, Function function, CK_RV rv, int times = 1);
  void leave_failed_signs_active();
  // C_Sign answers CKR_OK and wrong signatures, until told otherwise.
  void sign_wrongly(bool wrongly = true);

  // Every call of `function` sleeps that long first: the median of a log-normal distribution, whose logarithm
  // has the standard deviation `spread` (0: always the median; 0.5: the 99th percentile is at 3.2 times the
  // median).
  void delay(Function function, std::chrono::microseconds median, double spread = 0);
  // The token signs that many at a time; further C_Sign calls wait. At most kMaxLanes; 0 lifts the bound.
  void limit_parallel_signs(std::uint32_t lanes);
  // C_OpenSession answers CKR_SESSION_COUNT when so many sessions are open; 0 lifts the bound.
  void limit_sessions(std::uint64_t sessions);

  // Calls of `function` hang until released. A held call that was released goes on normally.
  void hold(Function function);
  void release(Function function);
  // The same for every function that may change what is on the token (may_write()), and their delay.
  void hold_writes();
  void release_writes();
  void delay_writes(std::chrono::microseconds median, double spread = 0);

  // Each is carried out by every process at its next call.
  void drop_sessions();      // all sessions are closed and the login ends: CKR_SESSION_HANDLE_INVALID
  void drop_login();         // CKR_USER_NOT_LOGGED_IN, or private objects that are gone
  void forget_initialize();  // CKR_CRYPTOKI_NOT_INITIALIZED until C_Initialize is called

  // The token is taken out of its slot: sessions end, C_GetSlotList(CK_TRUE) lists none, functions that take
  // a slot answer CKR_TOKEN_NOT_PRESENT.
  void remove_token();
  void return_token();

  // The process that makes the n-th call from now on, of whatever function, dies before the call reaches the
  // token.
  void kill_at_call(std::int64_t n);
  // True while nobody has died of that order.
  [[nodiscard]] bool kill_is_due() const;

  void set_token_flags(CK_FLAGS flags);  // CKF_USER_PIN_FINAL_TRY …; added to the token's own
  void require_initialize_after_fork();  // a forked child gets CKR_CRYPTOKI_NOT_INITIALIZED until it calls it

  [[nodiscard]] std::uint64_t calls(Function function) const;
  [[nodiscard]] std::uint64_t calls() const;   // of all functions
  [[nodiscard]] std::uint64_t writes() const;  // of those that may change what is on the token
  void reset_calls();
  // Calls that are in `function` now, held and delayed ones included; and the most that ever were.
  [[nodiscard]] std::int64_t inside(Function function) const;
  [[nodiscard]] std::int64_t peak(Function function) const;
  [[nodiscard]] std::int64_t inside_writes() const;
  [[nodiscard]] bool wait_until_inside(Function function, std::int64_t calls,
                                       std::chrono::milliseconds limit = std::chrono::seconds(20)) const;
  [[nodiscard]] std::int64_t open_sessions() const;
  // Calls on the stack of an OpenSSL job, where a module must never run.
  [[nodiscard]] std::uint64_t calls_on_fibres() const;
  // Calls that a process had begun, or began, when exit() destroyed the module's static objects.
  [[nodiscard]] std::uint64_t calls_past_exit() const;
  // CK_C_INITIALIZE_ARGS.flags of the last C_Initialize; kNoArguments for a null pointer.
  [[nodiscard]] std::uint64_t initialize_flags() const;

 private:
  FaultControl(std::filesystem::path loaded_as, ControlFile file);

  [[nodiscard]] ControlBlock& block() const noexcept { return file_.block(); }
  [[nodiscard]] FunctionControl& of(Function function) const noexcept { return block()[function]; }

  std::filesystem::path loaded_as_;
  ControlFile file_;
};

}  // namespace keystay::test
