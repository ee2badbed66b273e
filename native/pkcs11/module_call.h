// A call of one of a module's functions, during which InsideModule::now() is true on its thread.
#pragma once

#include "native/pkcs11/cryptoki.h"
#include "native/pkcs11/inside_module.h"

namespace keystay::pkcs11 {

// `ModuleCall(functions)->C_Sign(…)`: lives until the end of that expression. Everything that calls a module
// does it so.
class ModuleCall final {
 public:
  explicit ModuleCall(CK_FUNCTION_LIST& functions) noexcept : functions_(functions) {
    ++InsideModule::depth_;
  }
  ModuleCall(const ModuleCall&) = delete;
  ModuleCall& operator=(const ModuleCall&) = delete;
  ~ModuleCall() { --InsideModule::depth_; }

  [[nodiscard]] CK_FUNCTION_LIST* operator->() const noexcept { return &functions_; }

 private:
  CK_FUNCTION_LIST& functions_;
};

}  // namespace keystay::pkcs11
