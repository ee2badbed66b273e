// -init-token: makes a token usable, or empties one that is in use (C_InitToken).
#pragma once

#include <string>

#include "keystore-tools/output_form.h"
#include "keystore-tools/token_choice.h"
#include "keystore-tools/token_pins.h"

namespace keystay::tools {

struct InitToken {
  TokenChoice choice;  // without a label, which is the new one here
  std::string label;   // empty: the label that the configuration has for -token
  std::string so_pin;  // PIN source; empty: asked for
  FinalTry final_try = FinalTry::refused;
  bool no_prompt = false;
  bool dry_run = false;
  OutputForm form = OutputForm::text;

  // Everything on the token is lost, so that it shows which one is meant and asks first. With `no_prompt` a
  // token in use must be named by its serial number. Throws Failure.
  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
