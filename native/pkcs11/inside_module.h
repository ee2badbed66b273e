// Whether this thread is in a PKCS #11 module.
#pragma once

namespace keystay::pkcs11 {

// Modules use libraries of the process, libcrypto above all: what calls Keystay on such a thread is the
// module.
class InsideModule final {
 public:
  [[nodiscard]] static bool now() noexcept { return depth_ > 0; }

 private:
  friend class ModuleCall;
  static inline constinit thread_local int depth_ = 0;
};

}  // namespace keystay::pkcs11
