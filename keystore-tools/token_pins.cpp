#include "keystore-tools/token_pins.h"

#include <cstdio>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/terminal.h"
#include "native/config/pin_source.h"
#include "native/pkcs11/pin_syntax.h"

namespace keystay::tools {
namespace {

std::string_view owner(pkcs11::Role role) { return role == pkcs11::Role::user ? "user" : "security officer"; }

[[noreturn]] void refuse_locked(const std::string& name, pkcs11::Role role) {
  throw Failure("the " + std::string(owner(role)) + "'s PIN of " + name + " is locked; " +
                (role == pkcs11::Role::user
                     ? "the security officer gives the user another one: keystay unblock-pin"
                     : "what resets it is in the manual of the HSM"));
}

bool has_pin_pad(const pkcs11::TokenDetails& token) {
  return (token.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

void require_plausible(const pkcs11::Pin& pin) {
  const std::string fault = pkcs11::fault_of_pin(pin.bytes());
  if (fault.empty()) return;
  throw Failure("nothing was tried: the PIN from " + pin.origin() + " " + fault +
                "; write the PIN alone, in UTF-8 without a byte-order mark");
}

// Each question is its own: of two for a new PIN the second one asks for it again.
pkcs11::Pin pin_from(const std::string& source, const pkcs11::TokenDetails& token,
                     const std::string& question) {
  const auto reader = config::pin_reader(source.empty() ? "prompt" : source, token.label,
                                         [&](std::string_view) { return ask_pin(question + ": "); });
  pkcs11::Pin pin = reader();
  require_plausible(pin);
  return pin;
}

}  // namespace

void refuse_pin_in_arguments(const StoreOptions& options) {
  if (options.pin)
    throw UsageError(
        "a command line is no place for a PIN; write -storepass:file FILE or -storepass:env NAME, or be "
        "asked for it");
}

void require_tries(const pkcs11::TokenDetails& token, const std::string& name, pkcs11::Role role,
                   FinalTry final_try) {
  const std::string whose = "the " + std::string(owner(role)) + "'s PIN of " + name;
  switch (pin_state(token.flags, role)) {
    case pkcs11::PinState::locked:
      refuse_locked(name, role);
    case pkcs11::PinState::final_try:
      if (final_try == FinalTry::refused) {
        throw Failure("one more wrong try locks " + whose +
                      ", so none is made; with the right PIN at hand, write -finaltry");
      }
      fmt::print(stderr, "keystay: warning: one more wrong try locks {}\n", whose);
      return;
    case pkcs11::PinState::count_low:
      fmt::print(stderr,
                 "keystay: warning: {} was given wrongly since it was last given rightly; the token counts, "
                 "and locks it in the end\n",
                 whose);
      return;
    case pkcs11::PinState::not_set:
    case pkcs11::PinState::good:
    case pkcs11::PinState::to_be_changed:
      return;
  }
}

void require_writable(const pkcs11::TokenDetails& token, const std::string& name) {
  if (token.flags & CKF_WRITE_PROTECTED) throw Failure(name + " is write-protected (CKF_WRITE_PROTECTED)");
}

std::optional<pkcs11::Pin> read_pin(const pkcs11::TokenDetails& token, const std::string& source,
                                    const std::string& question) {
  if (has_pin_pad(token)) return std::nullopt;
  return pin_from(source, token, question);
}

std::optional<pkcs11::Pin> read_new_pin(const pkcs11::TokenDetails& token, const std::string& source,
                                        const std::string& question) {
  if (has_pin_pad(token)) return std::nullopt;
  pkcs11::Pin pin = pin_from(source, token, question);
  const bool fits =
      pin.size() >= token.shortest_pin && (token.longest_pin == 0 || pin.size() <= token.longest_pin);
  if (!fits) {
    throw Failure(fmt::format("the new PIN from {} has {} bytes; this token takes {} to {}", pin.origin(),
                              pin.size(), token.shortest_pin, token.longest_pin));
  }
  const bool was_typed = source.empty() || source == "prompt";
  if (was_typed && !pin.equals(ask_pin(question + ", once more: ")))
    throw Failure("the two are not the same; nothing was changed");
  return pin;
}

}  // namespace keystay::tools
