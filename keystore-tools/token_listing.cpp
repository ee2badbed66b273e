#include "keystore-tools/token_listing.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/file_argument.h"
#include "keystore-tools/text_table.h"
#include "keystore-tools/token_report.h"
#include "native/pkcs11/mechanism_names.h"
#include "native/pkcs11/unicode.h"

namespace keystay::tools {
namespace {

using pkcs11::printable;
using pkcs11::SlotInfo;

struct Found {
  std::string module;
  SlotInfo slot;
};

struct Search {
  std::vector<Found> slots;
  std::string failed;  // modules that could not be asked
};

// One module that does not start must not hide the others.
Search all_slots(const StoreOptions& options, const TokenChoice& choice) {
  Search search;
  const std::vector<ModuleInUse> modules = modules_in_use(options, choice);
  if (modules.empty())
    throw Failure("the configuration has no token on this machine; name a module with -module");
  for (const ModuleInUse& module : modules) {
    try {
      for (SlotInfo& slot : module.administration->slots())
        search.slots.push_back({module.path.string(), std::move(slot)});
    } catch (const pkcs11::Error& error) {
      search.failed.append(search.failed.empty() ? "" : "; ").append(error.what());
    }
  }
  return search;
}

void finish(const Search& search) {
  if (!search.failed.empty()) throw Failure("not all modules could be asked: " + search.failed);
}

std::string state_of_slot(const SlotInfo& slot) {
  if (!slot.fault.empty()) return "cannot be asked: " + printable(slot.fault);
  if (!slot.token) return "no token";
  if (!(slot.token->flags & CKF_TOKEN_INITIALIZED)) return "token that was never initialised";
  return fmt::format("token \"{}\", serial {}", printable(slot.token->label), printable(slot.token->serial));
}

std::string slots_in_text(const Search& search) {
  TextTable table({"SLOT", "MODULE", "DESCRIPTION", "TOKEN"});
  for (const auto& [module, slot] : search.slots)
    table.add(
        {std::to_string(slot.number), printable(module), printable(slot.description), state_of_slot(slot)});
  return table.text();
}

std::string slots_in_json(const Search& search) {
  boost::json::array slots;
  for (const auto& [module, slot] : search.slots) slots.push_back(slot_in_json(module, slot));
  return json_line({{"slots", std::move(slots)}});
}

std::string tokens_in_text(const Search& search) {
  TextTable table({"LABEL", "SERIAL", "MANUFACTURER", "MODEL", "USER PIN", "SO PIN", "SLOT", "MODULE"});
  for (const auto& [module, slot] : search.slots) {
    if (!slot.token) continue;
    const bool initialized = (slot.token->flags & CKF_TOKEN_INITIALIZED) != 0;
    table.add({initialized ? printable(slot.token->label) : "(not initialised)",
               printable(slot.token->serial), printable(slot.token->manufacturer),
               printable(slot.token->model),
               std::string(words(pin_state(slot.token->flags, pkcs11::Role::user))),
               std::string(words(pin_state(slot.token->flags, pkcs11::Role::security_officer))),
               std::to_string(slot.number), printable(module)});
  }
  return table.text();
}

std::string tokens_in_json(const Search& search) {
  boost::json::array tokens;
  for (const auto& [module, slot] : search.slots) {
    if (!slot.token) continue;
    boost::json::object token = token_in_json(*slot.token);
    token["module"] = json_text(module);
    token["slot"] = slot.number;
    tokens.push_back(std::move(token));
  }
  return json_line({{"tokens", std::move(tokens)}});
}

// The standard's unit of key sizes is the mechanism's own.
std::string sizes(const pkcs11::MechanismInfo& mechanism) {
  if (mechanism.largest_key == 0) return "";
  return mechanism.smallest_key == mechanism.largest_key
             ? std::to_string(mechanism.smallest_key)
             : fmt::format("{} to {}", mechanism.smallest_key, mechanism.largest_key);
}

}  // namespace

void ListSlots::run(const StoreOptions& options) const {
  const Search search = all_slots(options, choice);
  write_output({}, form == OutputForm::json ? slots_in_json(search) : slots_in_text(search));
  finish(search);
}

void ListTokens::run(const StoreOptions& options) const {
  const Search search = all_slots(options, choice);
  write_output({}, form == OutputForm::json ? tokens_in_json(search) : tokens_in_text(search));
  finish(search);
}

void ListMechanisms::run(const StoreOptions& options) const {
  const ModuleInUse module = module_in_use(options, choice);
  const SlotInfo slot = choose_token(module, choice);
  std::vector<pkcs11::MechanismInfo> found = module.administration->mechanisms(slot.number);
  std::ranges::sort(found, {}, &pkcs11::MechanismInfo::type);
  if (form == OutputForm::json) {
    boost::json::array mechanisms;
    for (const pkcs11::MechanismInfo& mechanism : found) mechanisms.push_back(mechanism_in_json(mechanism));
    return write_output(
        {}, json_line({{"token", token_in_json(*slot.token)}, {"mechanisms", std::move(mechanisms)}}));
  }
  TextTable table({"MECHANISM", "KEY SIZES", "USES"});
  for (const pkcs11::MechanismInfo& mechanism : found)
    table.add({pkcs11::mechanism_name(mechanism.type), sizes(mechanism), uses_in_words(mechanism)});
  write_output({}, table.text());
}

}  // namespace keystay::tools
