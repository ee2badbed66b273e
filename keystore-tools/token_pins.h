// The PINs of commands that prepare tokens: where they are read, and what is looked at before one is tried.
#pragma once

#include <optional>
#include <string>

#include "keystore-tools/store_options.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/slot_info.h"

namespace keystay::tools {

// Throws UsageError if a PIN stands on the command line: everybody on the machine reads that.
void refuse_pin_in_arguments(const StoreOptions& options);

// What may be tried when the next wrong PIN locks the token.
enum class FinalTry { refused, allowed };

// Looks at the counter of wrong PINs before one is tried: warns on standard error, and throws Failure where
// the PIN is locked or, unless it is allowed, at the final try. `name` is the token's.
void require_tries(const pkcs11::TokenDetails& token, const std::string& name, pkcs11::Role role,
                   FinalTry final_try);

// Throws Failure unless the token is one that can be written to.
void require_writable(const pkcs11::TokenDetails& token, const std::string& name);

// A PIN from `source` (config::pin_reader), or asked for where that is empty. Nothing of a token with a PIN
// pad, where a person types it. Throws pkcs11::Error (authentication); also if it is no PIN that a person can
// have set.
[[nodiscard]] std::optional<pkcs11::Pin> read_pin(const pkcs11::TokenDetails& token,
                                                  const std::string& source, const std::string& question);
// Likewise a new one, which is asked for twice. Throws Failure unless the token takes a PIN of this length.
[[nodiscard]] std::optional<pkcs11::Pin> read_new_pin(const pkcs11::TokenDetails& token,
                                                      const std::string& source, const std::string& question);

// Null for the PIN pad.
[[nodiscard]] inline const pkcs11::Pin* pin_or_pad(const std::optional<pkcs11::Pin>& pin) {
  return pin ? &*pin : nullptr;
}

}  // namespace keystay::tools
