// What a test and the fault module share: a mapped file of lock-free atomics, valid in every process that
// maps it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <pthread.h>

#include "tests/support/fault_module/cryptoki_function.h"

namespace keystay::test {

inline constexpr char kFaultControlVariable[] = "KEYSTAY_FAULT_CONTROL";  // the mapped file
inline constexpr char kFaultTargetVariable[] = "KEYSTAY_FAULT_TARGET";    // the real module

// Beside a copy of the module: its own control file and its own real module.
inline constexpr char kOwnControlSuffix[] = ".control";
inline constexpr char kOwnTargetSuffix[] = ".target";

// Orders for one function, and what became of its calls. A cache line each, so that threads in different
// functions do not slow one another.
struct alignas(128) FunctionControl {
  std::atomic<std::uint64_t> calls;         // calls that came in
  std::atomic<std::int64_t> inside;         // of these, calls that have not returned
  std::atomic<std::int64_t> peak;           // the most that were inside at a time
  std::atomic<std::uint64_t> failure;       // the CK_RV to answer
  std::atomic<std::int64_t> failures_left;  // for how many calls; -1: for every one
  std::atomic<std::int64_t> passes_left;    // calls that go on before the first one that fails
  std::atomic<std::uint64_t> delay_us;      // sleep before the call goes on: the median
  std::atomic<std::uint64_t> spread;        // standard deviation of the delay's logarithm, in thousandths
  std::atomic<bool> held;                   // calls wait until released
};

inline constexpr std::size_t kMaxLanes = 64;
inline constexpr std::uint64_t kNoArguments = ~std::uint64_t{0};

struct ControlBlock {
  std::array<FunctionControl, kFunctionCount> functions;

  // A token with `lanes` processors signs that many at a time; others wait. Each lane is a robust mutex, so a
  // process that dies in C_Sign takes none with it. 0: no bound.
  std::atomic<std::uint32_t> lanes;
  std::atomic<std::uint32_t> next_lane;
  std::array<pthread_mutex_t, kMaxLanes> lane;

  // Events: each process carries one out at its next call after the number has risen.
  std::atomic<std::uint64_t> sessions_dropped;  // every session is closed, the login ends with them
  std::atomic<std::uint64_t> logins_dropped;    // C_Logout behind the program's back
  std::atomic<std::uint64_t> modules_lost;      // C_Finalize behind the program's back

  // The call by which this falls to zero kills its process (SIGKILL) before it reaches the token. 0: none
  // does.
  std::atomic<std::int64_t> calls_until_kill;
  std::atomic<std::int64_t> writes_until_kill;  // the same for calls that may change what is on the token

  // Standing conditions.
  std::atomic<bool> token_absent;
  std::atomic<bool> signs_wrongly;          // C_Sign answers CKR_OK, and a signature with a bit turned over
  std::atomic<bool> initialize_after_fork;  // a forked child has to call C_Initialize first
  std::atomic<bool> failed_sign_stays_active;  // a failing C_Sign leaves the operation in its session
  std::atomic<std::uint64_t> token_flags;      // added to CK_TOKEN_INFO.flags
  std::atomic<std::uint64_t> session_limit;    // C_OpenSession answers CKR_SESSION_COUNT above it; 0: none

  // Observations.
  std::atomic<std::int64_t> open_sessions;
  std::atomic<std::uint64_t> calls_on_fibres;   // on another stack than that of their thread
  std::atomic<std::uint64_t> calls_past_exit;   // begun, or not ended, when exit() ended the module
  std::atomic<std::uint64_t> initialize_flags;  // of the last C_Initialize; kNoArguments for a null pointer

  [[nodiscard]] FunctionControl& operator[](Function function) noexcept { return functions[index(function)]; }
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace keystay::test
