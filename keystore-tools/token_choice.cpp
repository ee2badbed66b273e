#include "keystore-tools/token_choice.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "native/config/configuration.h"
#include "native/pkcs11/unicode.h"
#include "native/pkcs11/uri.h"

namespace keystay::tools {
namespace {

using pkcs11::SlotInfo;

constexpr std::chrono::seconds kTimeout{5};

bool is_initialized(const SlotInfo& slot) {
  return slot.token && (slot.token->flags & CKF_TOKEN_INITIALIZED);
}

config::Configuration configuration(const StoreOptions& options) {
  return config::read_configuration(options.configuration.empty() ? config::configuration_file()
                                                                  : options.configuration);
}

ModuleInUse of_path(const std::filesystem::path& path) {
  return {path, std::make_shared<pkcs11::TokenAdministration>(path, std::string(), kTimeout), {}};
}

ModuleInUse of_uri(const std::string& text) {
  const pkcs11::Uri uri = argument([&] { return pkcs11::parse_token_uri(text); });
  if (uri.module_path.empty()) throw UsageError("-token " + text + ": the URI has no module-path");
  ModuleInUse module = of_path(uri.module_path);
  module.identity = {uri.token, uri.serial, uri.manufacturer, uri.model};
  module.pin_source = uri.pin_source;
  return module;
}

ModuleInUse of_settings(const std::string& name, const config::TokenSettings& settings) {
  return {settings.module,
          std::make_shared<pkcs11::TokenAdministration>(settings.module, settings.module_arguments,
                                                        settings.timeout),
          name,
          {settings.label, settings.serial},
          settings.pin};
}

ModuleInUse configured(const config::Configuration& configuration, const std::string& name) {
  if (const auto group = configuration.groups.find(name); group != configuration.groups.end()) {
    std::string members;
    for (const std::string& member : group->second.members) members += (members.empty() ? "" : ", ") + member;
    throw Failure("\"" + name +
                  "\" is a group, whose tokens are prepared one by one; name one with -token: " + members);
  }
  const auto token = configuration.tokens.find(name);
  if (token == configuration.tokens.end()) {
    throw Failure((name.empty() ? "no token is named, and there is no default one in "
                                : "unknown token \"" + name + "\" in ") +
                  configuration.file.string() + "; name one with -token, or a module with -module");
  }
  if (token->second.remote) {
    throw Failure("token \"" + name +
                  "\" is on another machine: it is prepared there, where its module is (keystay test shows "
                  "whether it answers)");
  }
  return of_settings(name, token->second);
}

bool is_meant(const SlotInfo& slot, const pkcs11::TokenIdentity& wanted) {
  const auto agrees = [](const std::string& shown, const std::string& demanded) {
    return demanded.empty() || shown == demanded;
  };
  return is_initialized(slot) && agrees(slot.token->label, wanted.label) &&
         agrees(slot.token->serial, wanted.serial) && agrees(slot.token->manufacturer, wanted.manufacturer) &&
         agrees(slot.token->model, wanted.model);
}

// What the options say goes before what the configuration says.
pkcs11::TokenIdentity identity(const ModuleInUse& module, const TokenChoice& choice) {
  pkcs11::TokenIdentity wanted = module.identity;
  if (!choice.serial.empty() || choice.slot) wanted = {};
  if (!choice.serial.empty()) wanted.serial = choice.serial;
  if (!choice.label.empty()) wanted.label = choice.label;
  return wanted;
}

std::string there(const std::vector<SlotInfo>& slots) {
  std::string names;
  for (const SlotInfo& slot : slots) {
    if (!is_initialized(slot)) continue;
    names += fmt::format("{}\"{}\" (serial {})", names.empty() ? "" : ", ",
                         pkcs11::printable(slot.token->label), slot.token->serial);
  }
  return names.empty() ? "it shows no token that is initialised" : "it shows " + names;
}

std::vector<SlotInfo> meant(const ModuleInUse& module, const TokenChoice& choice,
                            std::vector<SlotInfo> slots) {
  const pkcs11::TokenIdentity wanted = identity(module, choice);
  std::erase_if(slots, [&](const SlotInfo& slot) {
    return (choice.slot && slot.number != *choice.slot) || !is_meant(slot, wanted);
  });
  return slots;
}

[[noreturn]] void refuse_several(const ModuleInUse& module, const std::vector<SlotInfo>& found) {
  throw Failure(module.path.string() + " has several tokens that may be meant: " + there(found).substr(9) +
                "; name one with -serial");
}

[[noreturn]] void refuse_slot(const ModuleInUse& module, unsigned long number,
                              const std::vector<SlotInfo>& slots) {
  const auto slot = std::ranges::find(slots, number, &SlotInfo::number);
  const std::string name = fmt::format("slot {} of {}", number, module.path.string());
  if (slot == slots.end()) throw Failure(name + " does not exist; keystay slots shows those that do");
  if (!slot->fault.empty()) throw Failure(name + ": " + slot->fault);
  throw Failure(name +
                (slot->token ? " has no token that is meant by the other options" : " has no token in it"));
}

}  // namespace

ModuleInUse module_in_use(const StoreOptions& options, const TokenChoice& choice) {
  if (!choice.module.empty() && !options.token.empty())
    throw UsageError(
        "-module and -token exclude one another: a token of the configuration has its module there");
  if (!choice.module.empty()) return of_path(std::filesystem::absolute(choice.module));
  if (pkcs11::is_pkcs11_uri(options.token)) return of_uri(options.token);
  const config::Configuration found = configuration(options);
  return configured(found, options.token.empty() ? found.default_token : options.token);
}

std::vector<ModuleInUse> modules_in_use(const StoreOptions& options, const TokenChoice& choice) {
  std::vector<ModuleInUse> modules;
  if (!choice.module.empty() || !options.token.empty()) {
    modules.push_back(module_in_use(options, choice));
    return modules;
  }
  std::set<std::filesystem::path> known;
  for (const auto& [name, settings] : configuration(options).tokens) {
    if (settings.remote || !known.insert(settings.module.lexically_normal()).second) continue;
    modules.push_back(of_settings(name, settings));
    modules.back().identity = {};  // all of them
  }
  return modules;
}

SlotInfo choose_token(const ModuleInUse& module, const TokenChoice& choice) {
  const std::vector<SlotInfo> slots = module.administration->slots();
  std::vector<SlotInfo> found = meant(module, choice, slots);
  if (found.size() > 1) refuse_several(module, found);
  if (!found.empty()) return std::move(found.front());
  if (choice.slot) refuse_slot(module, *choice.slot, slots);
  throw Failure(module.path.string() + " has no " + to_string(identity(module, choice)) + "; " +
                there(slots));
}

SlotInfo choose_token_to_initialize(const ModuleInUse& module, const TokenChoice& choice) {
  std::vector<SlotInfo> slots = module.administration->slots();
  if (choice.slot) {
    const auto slot = std::ranges::find(slots, *choice.slot, &SlotInfo::number);
    if (slot == slots.end() || !slot->token ||
        (!choice.serial.empty() && slot->token->serial != choice.serial))
      refuse_slot(module, *choice.slot, slots);
    return std::move(*slot);
  }
  if (!choice.serial.empty() || module.identity != pkcs11::TokenIdentity{}) {
    std::vector<SlotInfo> found = meant(module, choice, slots);
    if (found.size() > 1) refuse_several(module, found);
    if (!found.empty()) return std::move(found.front());
  }
  if (!choice.serial.empty()) {
    const auto bare = std::ranges::find_if(
        slots, [&](const SlotInfo& slot) { return slot.token && slot.token->serial == choice.serial; });
    if (bare != slots.end()) return std::move(*bare);
    throw Failure(module.path.string() + " has no token with serial \"" + choice.serial + "\"; " +
                  there(slots));
  }
  const std::string known = there(slots);
  std::erase_if(slots, [](const SlotInfo& slot) { return !slot.token || is_initialized(slot); });
  if (slots.size() == 1) return std::move(slots.front());
  throw Failure(module.path.string() +
                (slots.empty() ? " has no token that was never initialised; " + known +
                                     ", and -serial names one of them"
                               : " has several tokens that were never initialised; name a slot with -slot"));
}

std::string name_of(const ModuleInUse& module, const SlotInfo& slot) {
  if (!is_initialized(slot))
    return fmt::format("the token in slot {} of {}", slot.number, module.path.string());
  return fmt::format("token \"{}\" (serial {})", pkcs11::printable(slot.token->label), slot.token->serial);
}

}  // namespace keystay::tools
