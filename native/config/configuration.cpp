#include "native/config/configuration.h"

#include <algorithm>
#include <set>
#include <system_error>

#include <stdlib.h>

#include "native/config/error.h"
#include "native/config/file.h"
#include "native/config/group_reader.h"
#include "native/config/nearest.h"
#include "native/config/pin_source.h"
#include "native/config/remote_reader.h"
#include "native/config/table_reader.h"
#include "native/config/tlsd_reader.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;

constexpr IntegerRange kSessions{1, 1024};
constexpr DurationRange kTimeout{10ms, 10min};
constexpr DurationRange kKeyCheck{100ms, 1h};
constexpr std::size_t kLabelSize = 32;   // CK_TOKEN_INFO.label
constexpr std::size_t kSerialSize = 16;  // CK_TOKEN_INFO.serialNumber

// A name stands before the slash of "keystay:web/httpd".
bool is_token_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string token_text(const TableReader& table, std::string_view key, std::size_t most) {
  std::string text = table.text(key).value_or("");
  if (text.empty() && table.has(key)) table.fail(key, "must not be empty");
  if (text.size() > most) {
    table.fail(key,
               "expected at most " + std::to_string(most) + " bytes, got " + std::to_string(text.size()));
  }
  return text;
}

std::filesystem::path module_path(const TableReader& table) {
  std::filesystem::path module = table.required_text("module", "\"/usr/lib/softhsm/libsofthsm2.so\"");
  if (!module.is_absolute()) {
    table.fail("module",
               "expected an absolute path like \"/usr/lib/softhsm/libsofthsm2.so\", got " + module.string());
  }
  return module;
}

// The text is in no message: arguments may hold secrets.
std::string module_arguments(const TableReader& table) {
  std::string arguments = table.text("module-arguments").value_or("");
  if (arguments.empty() && table.has("module-arguments")) {
    table.fail("module-arguments", "must not be empty; leave it out if the module takes none");
  }
  if (arguments.find('\0') != std::string::npos) table.fail("module-arguments", "must not hold a zero byte");
  return arguments;
}

// The text is not repeated in the message: it may be the PIN itself.
std::string pin_source(const TableReader& table) {
  std::string source = table.text("pin").value_or("");
  if (!is_pin_source(source)) {
    table.fail("pin",
               "this names no place of a PIN (is it the PIN itself?); write " + std::string(kPinSourceForms));
  }
  return source;
}

KeyCopy key_copy(const TableReader& table) {
  const std::string text = table.text("key-copy").value_or("auto");
  if (text == "auto") return KeyCopy::automatic;
  if (text == "never") return KeyCopy::never;
  table.fail("key-copy", "expected \"auto\" or \"never\", got \"" + text + "\"");
}

HungCalls hung_calls(const TableReader& table) {
  const std::string text = table.text("hung-calls").value_or("wait");
  if (text == "wait") return HungCalls::waited_for;
  if (text == "leave") return HungCalls::left;
  table.fail("hung-calls", "expected \"wait\" or \"leave\", got \"" + text + "\"");
}

KeyImport key_import(const TableReader& table) {
  const std::string text = table.text("import").value_or("refuse");
  if (text == "refuse") return KeyImport::refused;
  if (text == "allow") return KeyImport::allowed;
  table.fail("import", "expected \"refuse\" or \"allow\", got \"" + text + "\"");
}

std::string zone_name(const TableReader& table) {
  std::string zone = table.text("zone").value_or("");
  if (zone.empty() && table.has("zone")) table.fail("zone", "must not be empty");
  return zone;
}

TokenSettings read_token(const std::string& name, const TableReader& table) {
  if (!is_token_name(name)) {
    table.fail("", "a token's name consists of letters, digits, \"-\", \"_\" and \".\"");
  }
  table.allow({"module",
               "module-arguments",
               "label",
               "serial",
               "pin",
               "sessions",
               "timeout",
               "key-copy",
               "key-check",
               "hung-calls",
               "import",
               "endpoints",
               "ca",
               "certificate",
               "key",
               "pkcs12",
               "pkcs12-password",
               "host",
               "lanes",
               "connect-timeout",
               "response-timeout",
               "relay",
               "zone"});
  TokenSettings token;
  token.timeout = table.duration("timeout", kTimeout).value_or(token.timeout);
  token.remote = read_remote(table, token.timeout);
  if (!token.remote) {
    token.module = module_path(table);
    token.module_arguments = module_arguments(table);
  }
  token.label = token_text(table, "label", kLabelSize);
  token.serial = token_text(table, "serial", kSerialSize);
  if (token.label.empty() && token.serial.empty()) {
    table.fail("label",
               "missing; write label = \"…\" or serial = \"…\" as `pkcs11-tool --list-slots` shows them");
  }
  token.pin = pin_source(table);
  token.sessions = static_cast<std::size_t>(
      table.integer("sessions", kSessions).value_or(static_cast<std::int64_t>(token.sessions)));
  token.key_copy = key_copy(table);
  token.key_check = table.duration("key-check", kKeyCheck).value_or(token.key_check);
  token.hung_calls = hung_calls(table);
  token.key_import = key_import(table);
  token.zone = zone_name(table);
  return token;
}

// PKCS #11 v3.0, section 5.4: C_Initialize is called once in a process, whatever tokens the module has.
void require_one_start_of_its_module(const std::string& name, const TableReader& table,
                                     const Configuration& configuration) {
  const TokenSettings& token = configuration.tokens.at(name);
  for (const auto& [other, settings] : configuration.tokens) {
    if (settings.module.lexically_normal() == token.module.lexically_normal() &&
        settings.module_arguments != token.module_arguments) {
      table.fail("module-arguments", "differ from those of token." + other +
                                         ", which has the same module: a module starts once in a process; "
                                         "write the same in both");
    }
  }
}

void require_room_for_its_lanes(const std::string& name, const TableReader& table,
                                const Configuration& configuration) {
  const auto& remote = configuration.tokens.at(name).remote;
  if (!remote) return;
  std::size_t lanes = 0;
  for (const auto& [_, settings] : configuration.tokens)
    lanes += settings.remote ? settings.remote->lanes : 0;
  if (lanes <= kMostLanes) return;
  table.fail(table.has("lanes") ? "lanes" : "",
             "with its " + std::to_string(remote->lanes) + " lanes the tokens on other machines have " +
                 std::to_string(lanes) + ", and a process has at most " + std::to_string(kMostLanes) +
                 " connections; write smaller `lanes` (4 if nothing is written)");
}

void read_groups(const TableReader& document, Configuration& configuration) {
  const auto tables = document.named_tables("group");
  std::set<std::string> names;
  for (const auto& [name, _] : tables) names.insert(name);
  for (const auto& [name, table] : tables) {
    if (!is_token_name(name))
      table.fail("", "a group's name consists of letters, digits, \"-\", \"_\" and \".\"");
    if (configuration.tokens.contains(name)) {
      table.fail("", "there is a [token." + name + "] too, and an alias \"" + name +
                         "/…\" could mean either; give the group another name");
    }
    configuration.groups.emplace(name, read_group(table, configuration.tokens, names, configuration.zone));
  }
}

// A lone token needs no `default`, nor does a group of all tokens; otherwise a bare alias means nothing until
// one is named.
std::string default_token(const TableReader& document, const Configuration& configuration) {
  if (!document.has("default")) {
    if (configuration.groups.empty() && configuration.tokens.size() == 1)
      return configuration.tokens.begin()->first;
    const bool all_in_one =
        configuration.groups.size() == 1 &&
        configuration.groups.begin()->second.members.size() == configuration.tokens.size();
    return all_in_one ? configuration.groups.begin()->first : std::string();
  }
  std::string name = document.required_text("default", "\"web\", the name of a [token.web] or [group.web]");
  if (configuration.tokens.contains(name) || configuration.groups.contains(name)) return name;
  std::vector<std::string_view> names;
  for (const auto& [known, _] : configuration.tokens) names.push_back(known);
  for (const auto& [known, _] : configuration.groups) names.push_back(known);
  document.fail("default", "there is no section [token." + name + "] or [group." + name + "]; " +
                               (names.empty() ? "add it with module, label and pin" : suggest(name, names)));
}

}  // namespace

std::filesystem::path configuration_file() {
  const char* named = ::secure_getenv("KEYSTAY_CONF");
  return named != nullptr && *named != '\0' ? named : "/etc/keystay/keystay.toml";
}

Configuration parse_configuration(std::string_view toml, const std::filesystem::path& file) {
  const TomlTable content = parse_toml(toml, file);
  const TableReader document(content, "", 1, file);
  document.allow({"default", "zone", "token", "group", "tlsd"});
  Configuration configuration;
  configuration.file = file;
  configuration.zone = zone_name(document);
  for (const auto& [name, table] : document.named_tables("token")) {
    configuration.tokens.emplace(name, read_token(name, table));
    require_one_start_of_its_module(name, table, configuration);
    require_room_for_its_lanes(name, table, configuration);
  }
  read_groups(document, configuration);
  configuration.default_token = default_token(document, configuration);
  if (const auto tlsd = document.table("tlsd")) configuration.tlsd = read_tlsd(*tlsd);
  return configuration;
}

Configuration read_configuration(const std::filesystem::path& file) {
  try {
    return parse_configuration(read_file(file), file);
  } catch (const std::system_error& error) {
    throw Error("cannot read the configuration file " + file.string() + ": " + error.code().message() +
                "; create it, or name another one in KEYSTAY_CONF");
  }
}

}  // namespace keystay::config
