// -slots, -tokens, -mechanisms: what a module shows without a login. They change nothing.
#pragma once

#include "keystore-tools/output_form.h"
#include "keystore-tools/token_choice.h"

namespace keystay::tools {

// All slots of a module, those without a token too.
struct ListSlots {
  TokenChoice choice;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

// The tokens, with the state of their PINs.
struct ListTokens {
  TokenChoice choice;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

// What one token can do.
struct ListMechanisms {
  TokenChoice choice;
  OutputForm form = OutputForm::text;

  void run(const StoreOptions& options) const;
};

}  // namespace keystay::tools
