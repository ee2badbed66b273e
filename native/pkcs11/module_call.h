// A call of one of a module's functions, which tells that its thread is in a module.
#pragma once

#include "native/pkcs11/cryptoki.h"

namespace keystay::pkcs11 {

// `ModuleCall(functions)->C_Sign(…)`: lives until the end of that expression. Everything that calls a module
// does it so.
class ModuleCall final {
 public:
  explicit ModuleCall(CK_FUNCTION_LIST& functions) noexcept : functions_(functions) { ++depth_; }
  ModuleCall(const ModuleCall&) = delete;
  ModuleCall& operator=(const ModuleCall&) = delete;
  ~ModuleCall() { --depth_; }

  [[nodiscard]] CK_FUNCTION_LIST* operator->() const noexcept { return &functions_; }

  // Whether this thread is in a module. Modules use libraries of the process too, and whatever those ask of
  // Keystay then is a wish of the module.
  [[nodiscard]] static bool inside() noexcept { return depth_ > 0; }

 private:
  static inline constinit thread_local int depth_ = 0;

  CK_FUNCTION_LIST& functions_;
};

}  // namespace keystay::pkcs11
