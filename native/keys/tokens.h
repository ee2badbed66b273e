// The tokens that a process uses: those of the configuration by name, and those that a URI describes in full.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "native/config/configuration.h"
#include "native/config/pin_source.h"
#include "native/keys/key_store.h"
#include "native/pkcs11/uri.h"

namespace keystay::keys {

// What a key URI or an alias names: a token, and the key on it.
struct KeyLocation {
  std::shared_ptr<pkcs11::Token> token;
  std::string label;  // CKA_LABEL; empty means any
  pkcs11::Bytes id;   // CKA_ID; empty means any
};

// Nothing here touches a module: tokens open at their first use. Thread-safe.
class Tokens final {
 public:
  // `prompt` answers `pin = "prompt"`; it may be empty where nobody can be asked.
  Tokens(config::Configuration configuration, config::PinPrompt prompt);

  // A token by its name in the configuration; an empty name means `default`. Throws config::Error.
  [[nodiscard]] std::shared_ptr<pkcs11::Token> token(std::string_view name);

  // "httpd", "web/httpd", "keystay:httpd", "keystay:front/httpd" or a "pkcs11:" URI (RFC 7512), whose token
  // is matched with the configuration, or opened by its module-path. Throws config::Error or pkcs11::Error.
  [[nodiscard]] KeyLocation locate(std::string_view alias_or_uri);

  [[nodiscard]] const config::Configuration& configuration() const noexcept { return configuration_; }

 private:
  std::shared_ptr<pkcs11::Token> token_of(const pkcs11::Uri& uri);

  config::Configuration configuration_;
  config::PinPrompt prompt_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<pkcs11::Token>, std::less<>> tokens_;
};

}  // namespace keystay::keys
