// The real module behind the fault module, and what is done to it behind the program's back.
#pragma once

#include <atomic>
#include <vector>

#include "native/pkcs11/cryptoki.h"
#include "tests/support/fault_module/control_block.h"
#include "tests/support/fault_module/gate.h"

namespace keystay::test {

class Target final {
 public:
  Target(CK_FUNCTION_LIST& functions, ControlBlock& control);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] CK_FUNCTION_LIST& functions() const noexcept { return functions_; }
  [[nodiscard]] ControlBlock& control() const noexcept { return control_; }
  // Shared by calls, exclusive for events: SoftHSM frees a session under the feet of a call that uses it.
  [[nodiscard]] Gate& gate() noexcept { return gate_; }

  // Carries out the events that were ordered since this process last looked.
  void carry_out_events();

  // In a forked child: nobody holds the gate here, whatever the parent's threads did.
  void after_fork() noexcept;
  // True in a child that has to call C_Initialize before anything else (PKCS #11 v2.40, section 2.5).
  [[nodiscard]] bool needs_initialize() const noexcept;

  CK_RV initialize(void* arguments);

 private:
  void drop_sessions();
  void drop_logins();
  [[nodiscard]] std::vector<CK_SLOT_ID> slots();

  CK_FUNCTION_LIST& functions_;
  ControlBlock& control_;
  Gate gate_;
  std::atomic<bool> forked_ = false;
  std::atomic<std::uint64_t> sessions_dropped_;
  std::atomic<std::uint64_t> logins_dropped_;
  std::atomic<std::uint64_t> modules_lost_;
};

}  // namespace keystay::test
