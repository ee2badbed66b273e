// keystay.toml as plain structs. docs/user/configuration.md lists every key.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "native/config/group_settings.h"
#include "native/config/remote_settings.h"
#include "native/config/tlsd_settings.h"

namespace keystay::config {

enum class KeyCopy {
  automatic,  // a session works on its own session-object copy of the key where the token allows it
  never,
};

// What a program without asynchronous jobs does with a call into the module that does not return.
enum class HungCalls {
  waited_for,
  left,  // at the time-out; a thread of its own makes each call
};

// Whether private keys that were made elsewhere may be brought to the token.
enum class KeyImport { refused, allowed };

// [token.NAME]
struct TokenSettings {
  std::filesystem::path module;
  std::string module_arguments;  // what C_Initialize gives the module; empty: nothing. May hold a secret
  std::string label;             // CK_TOKEN_INFO label; label or serial is given
  std::string serial;
  std::string pin;            // "file:/path" | "env:NAME" | "credential:NAME" | "prompt" | empty: no login
  std::size_t sessions = 32;  // operations in flight at most
  std::chrono::milliseconds timeout{5000};  // one operation, queueing included
  KeyCopy key_copy = KeyCopy::automatic;
  std::chrono::milliseconds key_check{5000};  // how often the token is asked whether a key in use is there
  HungCalls hung_calls = HungCalls::waited_for;
  KeyImport key_import = KeyImport::refused;
  std::optional<RemoteSettings> remote;  // of a token on another machine, which has no module here
  std::string zone;                      // where it is, for groups; empty: nowhere

  bool operator==(const TokenSettings&) const = default;
};

struct Configuration {
  std::filesystem::path file;  // where it was read from; empty for one that was put together in memory
  std::string default_token;   // the token or group that a bare alias means; the only one if there is one
  std::string zone;            // of this machine; empty: none
  std::map<std::string, TokenSettings, std::less<>> tokens;
  std::map<std::string, GroupSettings, std::less<>> groups;  // no name is a token's
  TlsdSettings tlsd;
};

// KEYSTAY_CONF, else /etc/keystay/keystay.toml.
[[nodiscard]] std::filesystem::path configuration_file();

// Both throw config::Error, which names file, line and key.
[[nodiscard]] Configuration read_configuration(const std::filesystem::path& file);
[[nodiscard]] Configuration parse_configuration(std::string_view toml, const std::filesystem::path& file);

}  // namespace keystay::config
