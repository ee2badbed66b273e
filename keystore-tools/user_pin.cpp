#include "keystore-tools/user_pin.h"

#include <cstdio>
#include <optional>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/token_report.h"
#include "native/pkcs11/error.h"

namespace keystay::tools {
namespace {

using pkcs11::PinState;
using pkcs11::Role;
using pkcs11::SlotInfo;

struct Chosen {
  ModuleInUse module;
  SlotInfo slot;
  std::string name;
};

Chosen choose(const StoreOptions& options, const UserPinChange& command) {
  refuse_pin_in_arguments(options);
  ModuleInUse module = module_in_use(options, command.choice);
  SlotInfo slot = choose_token(module, command.choice);
  std::string name = name_of(module, slot);
  require_writable(*slot.token, name);
  return {std::move(module), std::move(slot), std::move(name)};
}

// What the token says of its counter after a refusal, for who must decide whether to try again.
std::string counter(const Chosen& chosen, Role role) {
  const SlotInfo after = chosen.module.administration->slot(chosen.slot.number);
  if (!after.token) return "";
  switch (pin_state(after.token->flags, role)) {
    case PinState::locked:
      return "; it is locked now";
    case PinState::final_try:
      return "; one more wrong try locks it";
    case PinState::count_low:
      return "; the token counts wrong tries, and locks it in the end";
    default:
      return "";
  }
}

template <typename Change>
void change_pin(const Chosen& chosen, Role role, const Change& change) {
  try {
    change();
  } catch (const pkcs11::Error& error) {
    if (error.code() != CKR_PIN_INCORRECT && error.code() != CKR_PIN_LOCKED) throw error.on(chosen.name);
    throw Failure(fmt::format("{}: {}{}", chosen.name, error.what(), counter(chosen, role)));
  }
}

// What still has the old one.
void remind(const Chosen& chosen, const UserPinChange& command) {
  const std::string& configured = chosen.module.pin_source;
  if (configured.empty() || configured == "prompt" || configured == command.new_pin) return;
  fmt::print(
      stderr,
      "keystay: note: {} reads the PIN from {}: write the new one there before a program starts, since the "
      "token counts wrong ones\n",
      chosen.module.name.empty() ? "the URI" : "[token." + chosen.module.name + "]", configured);
}

void report(const Chosen& chosen, const UserPinChange& command, const char* done) {
  if (command.form == OutputForm::json) {
    boost::json::object found =
        slot_in_json(chosen.module.path.string(), chosen.module.administration->slot(chosen.slot.number));
    found["dry-run"] = command.dry_run;
    write_output({}, json_line(found));
  }
  fmt::print(stderr, "{} {} {}\n", chosen.name, command.dry_run ? "would have" : "has", done);
}

void set_by_officer(const Chosen& chosen, const UserPinChange& command, const std::string& so_pin_source,
                    const char* done) {
  const pkcs11::TokenDetails& token = *chosen.slot.token;
  require_tries(token, chosen.name, Role::security_officer, command.final_try);
  if (command.dry_run) return report(chosen, command, done);
  // The new one first: a PIN that is refused before anything is tried costs no try.
  const auto user_pin = read_new_pin(token, command.new_pin, "New user PIN of " + chosen.name);
  const auto so_pin = read_pin(token, so_pin_source, "SO PIN of " + chosen.name);
  change_pin(chosen, Role::security_officer, [&] {
    chosen.module.administration->initialize_user_pin(chosen.slot.number, pin_or_pad(so_pin),
                                                      pin_or_pad(user_pin));
  });
  report(chosen, command, done);
  remind(chosen, command);
}

}  // namespace

void InitPin::run(const StoreOptions& options) const {
  const Chosen chosen = choose(options, *this);
  const PinState state = pin_state(chosen.slot.token->flags, Role::user);
  if (state != PinState::not_set) {
    throw Failure(
        "the user of " + chosen.name +
        " has a PIN; the user changes it by keystay change-pin, and the security officer gives another one "
        "by keystay unblock-pin");
  }
  set_by_officer(chosen, *this, so_pin, "a user PIN");
}

void UnblockPin::run(const StoreOptions& options) const {
  const Chosen chosen = choose(options, *this);
  if (pin_state(chosen.slot.token->flags, Role::user) == PinState::not_set)
    throw Failure("the user of " + chosen.name + " has no PIN yet; give it one by keystay init-pin");
  set_by_officer(chosen, *this, so_pin, "another user PIN");
}

void ChangePin::run(const StoreOptions& options) const {
  const Chosen chosen = choose(options, *this);
  const pkcs11::TokenDetails& token = *chosen.slot.token;
  if (pin_state(token.flags, Role::user) == PinState::not_set)
    throw Failure("the user of " + chosen.name +
                  " has no PIN yet; the security officer gives it one by keystay init-pin");
  require_tries(token, chosen.name, Role::user, final_try);
  if (dry_run) return report(chosen, *this, "another user PIN");
  const std::string& source = options.pin_source.empty() ? chosen.module.pin_source : options.pin_source;
  const auto before = read_pin(token, source, "User PIN of " + chosen.name);
  const auto after = read_new_pin(token, new_pin, "New user PIN of " + chosen.name);
  if (before && after && before->equals(*after))
    throw Failure("the new PIN of " + chosen.name + " is the old one; nothing was changed");
  change_pin(chosen, Role::user, [&] {
    chosen.module.administration->change_user_pin(chosen.slot.number, pin_or_pad(before), pin_or_pad(after));
  });
  report(chosen, *this, "another user PIN");
  remind(chosen, *this);
}

}  // namespace keystay::tools
