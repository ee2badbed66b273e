#include "java/src/main/cpp/token_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "java/src/main/cpp/java_pkix.h"
#include "java/src/main/cpp/java_verifier.h"
#include "native/config/error.h"
#include "native/config/optional_configuration.h"
#include "native/config/pin_source.h"
#include "native/ha/key_sources.h"
#include "native/keys/tokens.h"
#include "native/pkcs11/error.h"

namespace keystay::jni {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

// The PIN comes as the store password.
constexpr std::string_view kPrompt = "prompt";

// A token without a PIN source is one whose PIN is the store password.
config::Configuration with_store_password(config::Configuration configuration) {
  for (auto& [name, settings] : configuration.tokens) {
    if (settings.pin.empty()) settings.pin = kPrompt;
  }
  return configuration;
}

config::Configuration read_configuration(const std::optional<std::filesystem::path>& file, bool optional) {
  if (optional)
    return with_store_password(config::read_optional_configuration(file.value_or(std::filesystem::path())));
  return with_store_password(config::read_configuration(file.value_or(config::configuration_file())));
}

config::Configuration read_again(const std::filesystem::path& file) {
  return with_store_password(config::read_configuration(file));
}

std::string identity(const std::string& name, const config::TokenSettings& settings) {
  std::string text = name;
  for (const std::string& part : {settings.module.string(), settings.label, settings.serial, settings.pin,
                                  std::to_string(settings.sessions), std::to_string(settings.timeout.count()),
                                  std::to_string(static_cast<int>(settings.key_copy)),
                                  std::to_string(static_cast<int>(settings.key_import))}) {
    text += '\n';
    text += part;
  }
  return text;
}

std::string identity(const std::string& name, const config::GroupSettings& group,
                     const config::Configuration& configuration) {
  std::string text = name + '\n' + std::to_string(group.min_active) + '\n' +
                     std::to_string(group.timeout.count()) + '\n' +
                     std::to_string(group.attempt_timeout.count());
  for (const std::string& member : group.members) {
    text += '\n';
    text += identity(member, configuration.tokens.at(member));
  }
  return text;
}

// By what a token was named: the configuration file, and the name or URI. Holds the newest store of each,
// since a PIN that was given once is given for the process. Never destroyed: a Java thread may be signing
// while the process ends.
struct Registry {
  using Name = std::pair<std::filesystem::path, std::string>;

  std::mutex mutex;
  std::map<Name, std::shared_ptr<TokenStore>> stores;
};
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

}  // namespace

// What a name or URI turned out to mean.
struct TokenStore::Opened {
  std::string identity;
  std::string reference;
  config::TokenSettings settings;
  std::shared_ptr<keys::KeySource> source;
  std::shared_ptr<StorePin> pin;
};

TokenStore::TokenStore(Opened opened, const keys::Pkix& pkix)
    : identity_(std::move(opened.identity)),
      reference_(std::move(opened.reference)),
      settings_(std::move(opened.settings)),
      source_(std::move(opened.source)),
      pin_(std::move(opened.pin)),
      keys_(source_, pkix) {}

std::shared_ptr<TokenStore> TokenStore::open(const std::optional<std::filesystem::path>& configuration,
                                             std::string_view token) {
  Opened opened = resolve(configuration, token);
  std::shared_ptr<TokenStore> outdated;  // ends behind the lock
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  std::shared_ptr<TokenStore>& newest = known.stores[{configuration.value_or(""), opened.reference}];
  const auto same = std::ranges::find_if(known.stores, [&](const auto& other) {
    return other.second && other.second->identity_ == opened.identity;
  });
  std::shared_ptr<TokenStore> store;
  if (same == known.stores.end()) {
    store.reset(new TokenStore(std::move(opened), pkix()));
  } else {
    store = same->second;
    store->take_pin(*opened.pin);
  }
  outdated = std::exchange(newest, store);
  return store;
}

// Of a URI that names the token again.
void TokenStore::take_pin(const StorePin& given) {
  if (!given.known() || settings_.pin != kPrompt) return;
  const std::lock_guard lock(unlocking_);
  pkcs11::Pin pin = given.copy(reference_);
  if (!pin_->known()) return pin_->set(std::move(pin));
  if (pin_->equals(pin)) return;
  throw Error(CKR_PIN_INCORRECT, "the pin-value of the URI is not the PIN that is known for " +
                                     source_->name() + " (the token was not asked)");
}

TokenStore::Opened TokenStore::resolve(const std::optional<std::filesystem::path>& file,
                                       std::string_view token) {
  Opened opened;
  opened.pin = std::make_shared<StorePin>();
  const bool is_uri = pkcs11::is_pkcs11_uri(token);
  pkcs11::Uri uri = is_uri ? pkcs11::parse_token_uri(token) : pkcs11::Uri{};

  const config::Configuration configuration = read_configuration(file, !uri.module_path.empty());
  if (const pkcs11::UriPin pin = std::exchange(uri.pin_value, {})) opened.pin->set(pin->copy());

  const auto tokens =
      ha::key_sources(configuration, [pin = opened.pin](std::string_view label) { return pin->copy(label); },
                      {}, nullptr, {.verifier = java_verifier(), .reader = read_again});
  opened.source = is_uri ? tokens->source(uri) : tokens->source(token);
  for (const auto& [name, settings] : configuration.tokens) {
    if (tokens->source(name) != opened.source) continue;
    opened.identity = identity(name, settings);
    opened.reference = name;
    opened.settings = settings;
    return opened;
  }
  for (const auto& [name, group] : configuration.groups) {
    if (tokens->added(name) != opened.source) continue;
    opened.identity = identity(name, group, configuration);
    opened.reference = name;
    opened.settings = configuration.tokens.at(group.members.front());  // its PIN is the group's password
    return opened;
  }
  if (uri.pin_source.empty()) {
    uri.pin_source = kPrompt;
    opened.source = tokens->source(uri);
  }
  opened.identity = pkcs11::format_uri(uri);
  opened.settings.module = uri.module_path;
  opened.settings.label = uri.token;
  opened.settings.serial = uri.serial;
  opened.settings.pin = uri.pin_source;
  if (uri.pin_source == kPrompt) uri.pin_source.clear();
  opened.reference = pkcs11::format_uri(uri);
  return opened;
}

bool TokenStore::is_locked() {
  if (settings_.pin != kPrompt || pin_->known()) return false;
  return source_->wants_pin();
}

void TokenStore::unlock(pkcs11::Pin pin) {
  const std::lock_guard lock(unlocking_);
  if (settings_.pin != kPrompt) {
    const pkcs11::PinReader configured = config::pin_reader(settings_.pin, reference_, {});
    if (configured && configured().equals(pin)) return;
    throw Error(CKR_PIN_INCORRECT,
                "the password is not the PIN that " + settings_.pin + " holds for " + source_->name() +
                    "; leave the password empty, or give that PIN (the token was not asked)");
  }
  if (pin_->known()) {
    if (pin_->equals(pin)) return;
    throw Error(CKR_PIN_INCORRECT, "the password is not the PIN that " + source_->name() +
                                       " was unlocked with (the token was not asked)");
  }
  pin_->set(std::move(pin));
  try {
    source_->recover();
  } catch (...) {
    pin_->forget();
    throw;
  }
}

}  // namespace keystay::jni
