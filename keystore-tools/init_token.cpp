#include "keystore-tools/init_token.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/terminal.h"
#include "keystore-tools/token_report.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using pkcs11::SlotInfo;

constexpr std::string_view kNextStep = "the next step is keystay init-pin";

bool is_in_use(const SlotInfo& slot) { return (slot.token->flags & CKF_TOKEN_INITIALIZED) != 0; }

// What a token's label may be, so that a person and keystay.toml can name it.
void require_label(const std::string& label) {
  const auto characters = pkcs11::code_points(label);
  if (label.empty()) throw UsageError("-label is missing: by it programs find the token");
  if (!characters || pkcs11::first_invisible(*characters) || label.front() == ' ' || label.back() == ' ')
    throw UsageError("-label is no text without invisible characters and without blanks at its ends");
  if (label.size() > pkcs11::kLongestTokenLabel)
    throw UsageError(fmt::format("-label has {} bytes; a token has room for {}", label.size(),
                                 pkcs11::kLongestTokenLabel));
}

// Programs find a token by its label.
void require_unused_label(const ModuleInUse& module, const SlotInfo& chosen, const std::string& label) {
  for (const SlotInfo& slot : module.administration->slots()) {
    if (slot.number == chosen.number || !slot.token || !is_in_use(slot) || slot.token->label != label)
      continue;
    throw Failure(fmt::format("{} has the label already, in slot {}; take another one", name_of(module, slot),
                              slot.number));
  }
}

// In words, what will happen.
void describe(const ModuleInUse& module, const SlotInfo& slot, const std::string& label) {
  const std::string name = is_in_use(slot) ? name_of(module, slot) + ", " : "";
  fmt::print(stderr, "Slot {} of {}: {}{} {}\n", slot.number, module.path.string(), name,
             pkcs11::printable(slot.token->manufacturer), pkcs11::printable(slot.token->model));
  if (!is_in_use(slot)) {
    fmt::print(stderr, "It was never initialised. It becomes \"{}\".\n", label);
    return;
  }
  fmt::print(
      stderr,
      "It is in use. All its keys and certificates are destroyed, for good, and the user's PIN with them:\n"
      "{} objects show without a login, and what is private comes on top. It becomes \"{}\".\n",
      module.administration->public_objects(slot.number), label);
}

void agree(const InitToken& command, const SlotInfo& slot) {
  if (!is_in_use(slot)) return;  // nothing is lost
  if (command.no_prompt) {
    if (!command.choice.serial.empty()) return;
    throw Failure("nothing was changed: with -noprompt a token that is in use must be named by -serial " +
                  slot.token->serial);
  }
  const Answer answer = ask("Destroy all of it? [no]:  ");
  if (answer == Answer::nobody)
    throw Failure("nobody can be asked; write -noprompt, and name the token by -serial " +
                  slot.token->serial);
  if (answer == Answer::no) throw Failure("nothing was changed");
}

void report(const InitToken& command, const ModuleInUse& module, const SlotInfo& slot) {
  if (command.form == OutputForm::json) {
    boost::json::object found = slot_in_json(module.path.string(), slot);
    found["dry-run"] = command.dry_run;
    return write_output({}, json_line(found));
  }
  if (!command.dry_run)
    fmt::print(stderr, "Initialised {} in slot {}; {}\n", name_of(module, slot), slot.number, kNextStep);
}

SlotInfo initialized(const InitToken& command, const ModuleInUse& module, const SlotInfo& slot,
                     const std::string& label) {
  const std::string name = name_of(module, slot);
  const auto so_pin = is_in_use(slot) ? read_pin(*slot.token, command.so_pin, "SO PIN of " + name)
                                      : read_new_pin(*slot.token, command.so_pin, "New SO PIN of " + name);
  try {
    SlotInfo after = module.administration->initialize(slot.number, pin_or_pad(so_pin), label);
    if (after.token && after.token->label == label) return after;
    throw Failure(name + " does not show its new label; is it initialised?");
  } catch (const pkcs11::Error& error) {
    throw error.on(name);
  }
}

}  // namespace

void InitToken::run(const StoreOptions& options) const {
  refuse_pin_in_arguments(options);
  const ModuleInUse module = module_in_use(options, choice);
  const std::string new_label = label.empty() ? module.identity.label : label;
  require_label(new_label);
  const SlotInfo slot = choose_token_to_initialize(module, choice);
  const std::string name = name_of(module, slot);
  require_writable(*slot.token, name);
  require_unused_label(module, slot, new_label);
  if (is_in_use(slot)) require_tries(*slot.token, name, pkcs11::Role::security_officer, final_try);
  describe(module, slot, new_label);
  if (dry_run) return report(*this, module, slot);
  agree(*this, slot);
  report(*this, module, initialized(*this, module, slot, new_label));
}

}  // namespace keystay::tools
