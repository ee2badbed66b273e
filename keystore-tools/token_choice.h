// Which token of which module a command works on that prepares tokens, or looks at them from outside.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keystore-tools/store_options.h"
#include "native/pkcs11/slot_info.h"
#include "native/pkcs11/token_administration.h"

namespace keystay::tools {

// The options that say so; empty ones say nothing.
struct TokenChoice {
  std::filesystem::path module;  // else that of the token that the configuration has
  std::optional<unsigned long> slot;
  std::string serial;
  std::string label;
};

// A module, and the token of it that is meant, as far as configuration and options say.
struct ModuleInUse {
  std::filesystem::path path;
  std::shared_ptr<pkcs11::TokenAdministration> administration;
  std::string name;  // of the token in the configuration; empty: it is not there
  pkcs11::TokenIdentity identity{};
  std::string pin_source{};  // that it is configured with
};

// Throws config::Error, UsageError, and Failure for a group, or a token on another machine, which is prepared
// there.
[[nodiscard]] ModuleInUse module_in_use(const StoreOptions& options, const TokenChoice& choice);
// Without -module and -token: each module of the configuration once, and those on other machines left out.
[[nodiscard]] std::vector<ModuleInUse> modules_in_use(const StoreOptions& options, const TokenChoice& choice);

// The slot whose token is meant. Throws Failure that says which there are, unless it is exactly one that is
// initialised.
[[nodiscard]] pkcs11::SlotInfo choose_token(const ModuleInUse& module, const TokenChoice& choice);
// Likewise one that is to be initialised: the token that is meant, or, where there is none, the only one that
// was never initialised.
[[nodiscard]] pkcs11::SlotInfo choose_token_to_initialize(const ModuleInUse& module,
                                                          const TokenChoice& choice);

// For messages: `token "web" (serial 0123)`, `the token in slot 1 of /usr/lib/softhsm/libsofthsm2.so`.
[[nodiscard]] std::string name_of(const ModuleInUse& module, const pkcs11::SlotInfo& slot);

}  // namespace keystay::tools
