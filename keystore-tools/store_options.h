// The options that every command has: which aliases it works on, and where the PIN comes from.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "native/config/remote_settings.h"
#include "native/pkcs11/pin.h"

namespace keystay::tools {

// What it means to a command that its key store file is not there. Nothing stands in for the file where
// something is read, changed or destroyed: "all of the token" would be a guess.
enum class MissingKeyStore {
  refused,
  made,  // by a command that makes an alias, together with it
};

// A token on another machine that no configuration describes yet.
struct UnsavedToken {
  config::RemoteSettings remote;  // without endpoints: there is none
  std::string label;
  std::string serial;
};

struct StoreOptions {
  std::filesystem::path configuration;     // -conf; empty: KEYSTAY_CONF, else /etc/keystay/keystay.toml
  std::string token;                       // -token; empty: the default one
  std::filesystem::path key_store;         // -keystore; empty: all aliases of the token
  std::string pin_source;                  // -storepass:env, -storepass:file; empty: as configured
  std::shared_ptr<const pkcs11::Pin> pin;  // a plain -storepass
  // Plain passwords of files, by their options: "srcstorepass".
  std::map<std::string, std::shared_ptr<const pkcs11::Pin>, std::less<>> passwords;
  UnsavedToken unsaved;  // of -test
};

}  // namespace keystay::tools
