#include "provider/configuration/cnf_section.h"

#include <algorithm>
#include <array>
#include <vector>

#include "native/config/error.h"
#include "native/config/nearest.h"
#include "native/config/pin_source.h"
#include "provider/configuration/cnf_file.h"

namespace keystay::provider {
namespace {

using config::KeyCopy;

[[noreturn]] void refuse(std::string_view place, std::string_view name, const std::string& what) {
  throw config::Error(std::string(place) + ": " + std::string(name) + ": " + what);
}

// The section while it is read.
struct Reading {
  std::string_view place;
  CnfSection section;
  keys::WholeModule module;
  std::string_view pin;
};

using Parameter = CnfParameter;

void ignore(Reading& /*reading*/, const Parameter& /*parameter*/) {}

void take_configuration(Reading& reading, const Parameter& parameter) {
  reading.section.configuration = parameter.value;
}

void take_path(Reading& reading, const Parameter& parameter) {
  if (!parameter.value.starts_with('/')) {
    refuse(reading.place, parameter.name,
           "expected the absolute path of a PKCS#11 module, got \"" + std::string(parameter.value) + "\"");
  }
  reading.module.settings.module = parameter.value;
}

void take_pin(Reading& reading, const Parameter& parameter) { reading.pin = parameter.value; }

bool is_true(const Reading& reading, const Parameter& parameter) {
  if (parameter.value != "true" && parameter.value != "false") {
    refuse(reading.place, parameter.name,
           "expected true or false, got \"" + std::string(parameter.value) + "\"");
  }
  return parameter.value == "true";
}

void take_follow(Reading& reading, const Parameter& parameter) {
  reading.section.follows_configuration = is_true(reading, parameter);
}

// "cached in the session" is there what a copy of the key as a session object is here.
void take_cache_keys(Reading& reading, const Parameter& parameter) {
  reading.module.settings.key_copy = is_true(reading, parameter) ? KeyCopy::automatic : KeyCopy::never;
}

void take_arguments(Reading& reading, const Parameter& parameter) {
  reading.module.settings.module_arguments = parameter.value;
}

struct Known {
  std::string_view name;
  void (*take)(Reading&, const Parameter&);
};

constexpr std::array kKnown{
    // libcrypto's own (config(5), "Provider Configuration").
    Known{"identity", ignore},
    Known{"module", ignore},
    Known{"activate", ignore},
    Known{"soft_load", ignore},
    Known{"configuration", take_configuration},
    Known{"follow-configuration", take_follow},
    Known{"pkcs11-module-path", take_path},
    Known{"pkcs11-module-token-pin", take_pin},
    Known{"pkcs11-module-cache-keys", take_cache_keys},
    Known{"pkcs11-module-init-args", take_arguments},
    // Without a meaning here.
    Known{"pkcs11-module-allow-export", ignore},
    Known{"pkcs11-module-assume-fips", ignore},
    Known{"pkcs11-module-block-operations", ignore},
    Known{"pkcs11-module-cache-pins", ignore},
    Known{"pkcs11-module-cache-sessions", ignore},
    Known{"pkcs11-module-encode-provider-uri-to-pem", ignore},
    Known{"pkcs11-module-load-behavior", ignore},
    Known{"pkcs11-module-login-behavior", ignore},
    Known{"pkcs11-module-quirks", ignore},
};

const Known* find_known(std::string_view name) {
  const auto* known = std::ranges::find(kKnown, name, &Known::name);
  return known == kKnown.end() ? nullptr : known;
}

// A PIN stands in the value itself, unless it begins with "file:". Without one a person is asked, if there is
// one.
void give_pin(Reading& reading) {
  keys::WholeModule& module = reading.module;
  if (reading.pin.starts_with("file:") && !config::is_pin_source(reading.pin)) {
    refuse(reading.place, "pkcs11-module-token-pin", "expected file:/path");
  }
  if (reading.pin.empty()) {
    module.settings.pin = "prompt";
  } else if (reading.pin.starts_with("file:")) {
    module.settings.pin = reading.pin;
  } else {
    module.pin.emplace(reading.pin, "pkcs11-module-token-pin of " + std::string(reading.place));
  }
}

}  // namespace

std::vector<std::string_view> cnf_parameter_names() {
  std::vector<std::string_view> names;
  for (const Known& known : kKnown) names.push_back(known.name);
  return names;
}

CnfSection parse_cnf_section(std::span<const CnfParameter> parameters, std::string_view place) {
  Reading reading{place, {}, {}, {}};
  for (const CnfParameter& parameter : parameters) {
    const Known* known = find_known(parameter.name);
    if (!known) {
      refuse(place, parameter.name,
             "unknown parameter; " + config::suggest(parameter.name, cnf_parameter_names()));
    }
    known->take(reading, parameter);
  }
  if (!reading.module.settings.module.empty()) {
    give_pin(reading);
    reading.section.whole_module.emplace(std::move(reading.module));
  } else if (!reading.pin.empty()) {
    refuse(place, "pkcs11-module-token-pin", "a PIN of which module? add pkcs11-module-path");
  } else if (!reading.module.settings.module_arguments.empty()) {
    refuse(place, "pkcs11-module-init-args", "arguments of which module? add pkcs11-module-path");
  }
  return std::move(reading.section);
}

CnfSection read_cnf_section(const Core& core) {
  std::vector<CnfParameter> parameters;
  for (const Known& known : kKnown) {
    if (const auto value = core.parameter(known.name.data()); !value.empty())
      parameters.push_back({known.name, value});
  }
  const CnfFile file = read_cnf_file(core);
  if (!file.doubled.empty()) {
    refuse(file.place, file.doubled.front(),
           "stands more than once in this section, and only the last would count; leave one");
  }
  for (const std::string& name : file.names) {
    if (!find_known(name)) parameters.push_back({name, {}});
  }
  return parse_cnf_section(parameters, file.place);
}

}  // namespace keystay::provider
