// The key sources that a process uses: the tokens of the configuration by name, and those that a URI
// describes in full.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "native/config/configuration.h"
#include "native/config/pin_source.h"
#include "native/keys/key_source.h"
#include "native/pkcs11/fork_lock.h"
#include "native/pkcs11/pin.h"
#include "native/pkcs11/uri.h"

namespace keystay::keys {

// What a key URI or an alias names: where it is, and the key there.
struct KeyLocation {
  std::shared_ptr<KeySource> source;
  std::string label;  // CKA_LABEL; empty means any
  pkcs11::Bytes id;   // CKA_ID; empty means any
};

// A configured token that a URI may mean.
struct Candidate {
  std::shared_ptr<KeySource> source;
  // Whether its PIN is its own. One that a URI brings along for one of several tokens is a failed attempt at
  // each other.
  bool has_own_pin = false;
};

// Every token of one module, without a [token.NAME] for each: how pkcs11-provider is configured.
struct WholeModule {
  config::TokenSettings settings;  // without label and serial, which come from the URI
  std::optional<pkcs11::Pin> pin;  // instead of settings.pin: a PIN that stands in the configuration itself
};

// Nothing here touches a module: tokens open at their first use. Thread-safe.
class Tokens final {
 public:
  // `prompt` answers `pin = "prompt"`; it may be empty where no person can be asked. A token that the
  // configuration does not have is looked for in `whole_module`. Throws config::Error for a `pin` of no known
  // form. A token that `before`, if there is one, has with the same settings is taken from there, with its
  // sessions.
  Tokens(config::Configuration configuration, config::PinPrompt prompt,
         std::optional<WholeModule> whole_module = std::nullopt, const Tokens* before = nullptr);

  // A token by its name in the configuration; an empty name means `default`. Throws config::Error that lists
  // the names.
  [[nodiscard]] std::shared_ptr<KeySource> source(std::string_view name) const;

  // A source of another kind, under a name that aliases may begin with and no token has. Before others use
  // this object: it is not thread-safe.
  void add(std::string name, std::shared_ptr<KeySource> source);

  // What add() was given under this name; null if nothing was. Also what "pkcs11:token=NAME" means then.
  [[nodiscard]] std::shared_ptr<KeySource> added(std::string_view name) const;

  // "httpd", "web/httpd", "keystay:httpd", "keystay:front/httpd" (percent-encoded where RFC 3986 wants it) or
  // a "pkcs11:" URI, whose token is matched with the configuration by label and serial, or opened by its
  // module-path. What else the URI says of the token must be so when it is opened (RFC 7512, section 2.3).
  // A slash stands for itself in an alias unless a token has the name before it. Throws
  // config::Error or pkcs11::Error.
  [[nodiscard]] KeyLocation locate(std::string_view alias_or_uri);

  // The token of such a URI. Its pin-value or pin-source (RFC 7512, section 2.4) counts where the
  // configuration has no PIN of its own.
  [[nodiscard]] std::shared_ptr<KeySource> source(const pkcs11::Uri& uri);

  // Where a URI names an object and no token (`token`, `serial`, `module-path`), and there are several
  // tokens: the configured ones that it may mean, the default one first. None of them is handed out by this.
  [[nodiscard]] std::vector<Candidate> candidates(const pkcs11::Uri& uri);
  // That one, handed out.
  [[nodiscard]] std::shared_ptr<KeySource> choose(const Candidate& candidate) const {
    return hand_out(candidate.source);
  }

  // The token of that module that the URI describes, whatever is configured besides; null without a
  // WholeModule.
  [[nodiscard]] std::shared_ptr<KeySource> of_whole_module(const pkcs11::Uri& uri);

  // KeySource::require_repeatable_login of each source that was handed out.
  void require_repeatable_logins() const;

  [[nodiscard]] const config::Configuration& configuration() const noexcept { return configuration_; }

 private:
  // A token that a URI describes, alone or more closely than the configuration does.
  struct Described {
    std::string name;
    config::TokenSettings settings;
    pkcs11::TokenIdentity identity;
    std::optional<pkcs11::Pin> pin;
    std::shared_ptr<KeySource> source;
  };

  [[nodiscard]] std::shared_ptr<KeySource> open(const std::string& name,
                                                const config::TokenSettings& settings,
                                                pkcs11::TokenIdentity identity, pkcs11::PinReader pin,
                                                PinSupply supply) const;
  [[nodiscard]] std::shared_ptr<KeySource> hand_out(std::shared_ptr<KeySource> source) const;
  [[nodiscard]] std::shared_ptr<KeySource> named(std::string_view name) const;
  [[nodiscard]] std::shared_ptr<KeySource> default_source();
  [[nodiscard]] KeyLocation find_location(std::string_view alias_or_uri);
  [[nodiscard]] std::shared_ptr<KeySource> find_source(const pkcs11::Uri& uri);
  [[nodiscard]] const std::string* matching_name(const pkcs11::Uri& uri) const;
  [[nodiscard]] std::shared_ptr<KeySource> configured(const std::string& name, const pkcs11::Uri& uri);
  [[nodiscard]] std::shared_ptr<KeySource> described(const pkcs11::Uri& uri);
  [[nodiscard]] std::shared_ptr<KeySource> open_described(Described wanted);
  [[nodiscard]] std::string arguments_of(const std::filesystem::path& module) const;
  [[nodiscard]] std::string known_names() const;

  config::Configuration configuration_;
  config::PinPrompt prompt_;
  std::optional<WholeModule> whole_module_;
  std::map<std::string, std::shared_ptr<KeySource>, std::less<>> configured_;

  std::vector<Described> described_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
  mutable std::set<std::shared_ptr<KeySource>> handed_out_ KEYSTAY_GUARDED_BY(pkcs11::fork_mutex);
};

}  // namespace keystay::keys
