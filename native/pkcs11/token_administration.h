// Slots, and what prepares their tokens: C_GetSlotList, C_GetMechanismList, C_InitToken, C_InitPIN and
// C_SetPIN (PKCS #11 v3.0, sections 5.5 and 5.6). Why no library does this:
// docs/design/token-administration.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "native/pkcs11/pin.h"
#include "native/pkcs11/slot_info.h"

namespace keystay::pkcs11 {

class Module;

// Of one module. Each call is one attempt, and nothing is repaired; sessions end with the call, and a login
// as security officer with them. Where a token has a PIN pad (CKF_PROTECTED_AUTHENTICATION_PATH), PINs are
// null pointers, and a person types them there. Not for a process that also uses the tokens' keys:
// C_InitToken wants that no session is open, and nobody else may be logged in while the security officer is.
// Throws Error.
class TokenAdministration final {
 public:
  TokenAdministration(const std::filesystem::path& module, const std::string& module_arguments,
                      std::chrono::milliseconds timeout);
  ~TokenAdministration();

  // All slots, in the module's order, those without a token too. What one cannot be asked stands in its
  // `fault`.
  [[nodiscard]] std::vector<SlotInfo> slots();
  [[nodiscard]] SlotInfo slot(unsigned long number);
  [[nodiscard]] std::vector<MechanismInfo> mechanisms(unsigned long slot);
  // How many objects the token shows without a login. There may be more.
  [[nodiscard]] std::size_t public_objects(unsigned long slot);

  // Destroys everything on the token. `so_pin` is the one that it has, or, on a token that was never
  // initialised, is to have. Returns what the slot shows then.
  SlotInfo initialize(unsigned long slot, const Pin* so_pin, std::string_view label);
  // Gives the user a PIN, as security officer.
  void initialize_user_pin(unsigned long slot, const Pin* so_pin, const Pin* user_pin);
  // The user changes its own.
  void change_user_pin(unsigned long slot, const Pin* before, const Pin* after);

 private:
  std::shared_ptr<Module> module_;
  std::chrono::milliseconds timeout_;
};

// What CK_TOKEN_INFO.label holds.
inline constexpr std::size_t kLongestTokenLabel = 32;  // bytes of UTF-8

}  // namespace keystay::pkcs11
