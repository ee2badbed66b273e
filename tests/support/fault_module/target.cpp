#include "tests/support/fault_module/target.h"

#include <memory>
#include <mutex>
#include <new>

namespace keystay::test {

Target::Target(CK_FUNCTION_LIST& functions, ControlBlock& control)
    : functions_(functions),
      control_(control),
      sessions_dropped_(control.sessions_dropped.load()),
      logins_dropped_(control.logins_dropped.load()),
      modules_lost_(control.modules_lost.load()) {}

void Target::carry_out_events() {
  const std::uint64_t sessions = control_.sessions_dropped.load(std::memory_order_relaxed);
  const std::uint64_t logins = control_.logins_dropped.load(std::memory_order_relaxed);
  const std::uint64_t modules = control_.modules_lost.load(std::memory_order_relaxed);
  if (sessions == sessions_dropped_.load(std::memory_order_relaxed) &&
      logins == logins_dropped_.load(std::memory_order_relaxed) &&
      modules == modules_lost_.load(std::memory_order_relaxed)) [[likely]] {
    return;
  }
  const std::scoped_lock alone(gate_);
  if (sessions_dropped_.exchange(sessions) != sessions) drop_sessions();
  if (logins_dropped_.exchange(logins) != logins) drop_logins();
  if (modules_lost_.exchange(modules) != modules) {
    functions_.C_Finalize(nullptr);
    control_.open_sessions = 0;
  }
}

void Target::drop_sessions() {
  for (const CK_SLOT_ID slot : slots()) functions_.C_CloseAllSessions(slot);
  control_.open_sessions = 0;
}

// Any session of the token will do; where it has none, nobody is logged in.
void Target::drop_logins() {
  for (const CK_SLOT_ID slot : slots()) {
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    if (functions_.C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session) != CKR_OK) continue;
    functions_.C_Logout(session);
    functions_.C_CloseSession(session);
  }
}

std::vector<CK_SLOT_ID> Target::slots() {
  CK_ULONG count = 0;
  if (functions_.C_GetSlotList(CK_TRUE, nullptr, &count) != CKR_OK)
    return {};  // not initialised: nothing to drop
  std::vector<CK_SLOT_ID> slots(count);
  if (functions_.C_GetSlotList(CK_TRUE, slots.data(), &count) != CKR_OK) return {};
  slots.resize(count);
  return slots;
}

void Target::after_fork() noexcept {
  new (&gate_)
      Gate;  // the old one may be held by threads that do not exist here, so it is not destroyed either
  forked_ = true;
}

bool Target::needs_initialize() const noexcept {
  return forked_.load(std::memory_order_relaxed) &&
         control_.initialize_after_fork.load(std::memory_order_relaxed);
}

CK_RV Target::initialize(void* arguments) {
  const auto* initialize_arguments = static_cast<const CK_C_INITIALIZE_ARGS*>(arguments);
  control_.initialize_flags = arguments == nullptr ? kNoArguments : initialize_arguments->flags;
  CK_RV rv = functions_.C_Initialize(arguments);
  if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED && needs_initialize()) {
    functions_.C_Finalize(nullptr);  // the parent's state, which the target has not noticed to be a copy
    rv = functions_.C_Initialize(arguments);
  }
  if (rv == CKR_OK) forked_ = false;
  return rv;
}

}  // namespace keystay::test
