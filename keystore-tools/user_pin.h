// -init-pin, -unblock-pin and -change-pin: the user's PIN of a token (C_InitPIN, C_SetPIN).
#pragma once

#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/token_choice.h"
#include "keystore-tools/token_pins.h"

namespace keystay::tools {

// What the three have in common. PIN sources: as of `pin` in keystay.toml; empty ones are asked for.
struct UserPinChange {
  TokenChoice choice;
  std::string new_pin;
  FinalTry final_try = FinalTry::refused;
  bool dry_run = false;
  OutputForm form = OutputForm::text;
};

// The security officer gives the user of a token its first PIN. Throws Failure if there is one.
struct InitPin : UserPinChange {
  std::string so_pin;
  void run(const StoreOptions& options) const;
};

// The security officer gives the user another one, whether the old one is locked or forgotten.
struct UnblockPin : UserPinChange {
  std::string so_pin;
  void run(const StoreOptions& options) const;
};

// The user changes it. The old one comes from -storepass:file or its like, else from where it is configured.
struct ChangePin : UserPinChange {
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
