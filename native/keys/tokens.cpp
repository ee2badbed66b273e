#include "native/keys/tokens.h"

#include <charconv>
#include <utility>

#include "native/config/error.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Token;

constexpr std::string_view kScheme = "keystay:";

// RFC 3986, section 2.1.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
      throw Error(ErrorClass::client, "\"" + std::string(text) + "\" has a % without two hexadecimal digits");
    }
    decoded.push_back(static_cast<char>(byte));
    i += 2;
  }
  return decoded;
}

pkcs11::PinReader pin_of(const pkcs11::Uri& uri, const config::PinPrompt& prompt) {
  if (uri.pin_value.empty()) return config::pin_reader(uri.pin_source, uri.token, prompt);
  const auto kept = std::make_shared<const pkcs11::Pin>(uri.pin_value);
  return [kept] {
    const pkcs11::ByteView bytes = kept->bytes();
    return pkcs11::Pin({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
}

// Whether the configured token is the one that the URI describes, as far as both say. One of them must agree.
bool describes(const pkcs11::Uri& uri, const config::TokenSettings& settings) {
  if (!uri.module_path.empty() && uri.module_path != settings.module) return false;
  const bool both_labels = !uri.token.empty() && !settings.label.empty();
  const bool both_serials = !uri.serial.empty() && !settings.serial.empty();
  if (both_labels && uri.token != settings.label) return false;
  if (both_serials && uri.serial != settings.serial) return false;
  return both_labels || both_serials;
}

std::string description(const pkcs11::Uri& uri) {
  std::string text = "token";
  if (!uri.token.empty()) text += " with label \"" + uri.token + "\"";
  if (!uri.serial.empty())
    text += (uri.token.empty() ? " with serial \"" : " and serial \"") + uri.serial + "\"";
  return text;
}

}  // namespace

Tokens::Tokens(config::Configuration configuration, config::PinPrompt prompt)
    : configuration_(std::move(configuration)), prompt_(std::move(prompt)) {
  for (const auto& [name, settings] : configuration_.tokens) {
    const std::string& shown = settings.label.empty() ? name : settings.label;
    configured_.emplace(name, open(name, settings, config::pin_reader(settings.pin, shown, prompt_)));
  }
}

std::shared_ptr<Token> Tokens::open(const std::string& name, const config::TokenSettings& settings,
                                    pkcs11::PinReader pin) const {
  const bool copies = settings.key_copy == config::KeyCopy::automatic;
  return std::make_shared<Token>(
      pkcs11::Module::at(settings.module),
      pkcs11::TokenOptions{name, settings.label, settings.serial, std::move(pin), settings.sessions,
                           settings.timeout,
                           copies ? pkcs11::KeyCopies::automatic : pkcs11::KeyCopies::never});
}

std::string Tokens::known_names() const {
  if (configured_.empty()) {
    return "no token is configured" +
           (configuration_.file.empty() ? std::string() : " in " + configuration_.file.string());
  }
  std::string names;
  for (const auto& [name, token] : configured_) names += (names.empty() ? "" : ", ") + name;
  return "configured are: " + names;
}

std::shared_ptr<Token> Tokens::token(std::string_view name) const {
  if (name.empty() && configuration_.default_token.empty()) {
    throw config::Error("no token is named, and there is no default one; " + known_names());
  }
  const auto at = configured_.find(name.empty() ? std::string_view(configuration_.default_token) : name);
  if (at == configured_.end())
    throw config::Error("unknown token \"" + std::string(name) + "\"; " + known_names());
  return at->second;
}

KeyLocation Tokens::locate(std::string_view alias_or_uri) {
  if (alias_or_uri.starts_with("pkcs11:")) {
    pkcs11::Uri uri = pkcs11::parse_uri(alias_or_uri);
    return {token(uri), std::move(uri.object), std::move(uri.id)};
  }
  const bool is_uri = alias_or_uri.starts_with(kScheme);
  const std::string alias =
      is_uri ? percent_decoded(alias_or_uri.substr(kScheme.size())) : std::string(alias_or_uri);
  if (const std::size_t slash = alias.find('/'); slash != std::string::npos) {
    if (const auto at = configured_.find(alias.substr(0, slash)); at != configured_.end()) {
      return {at->second, alias.substr(slash + 1), {}};
    }
  }
  return {token(std::string_view()), alias, {}};
}

std::shared_ptr<Token> Tokens::token(const pkcs11::Uri& uri) {
  if (uri.token.empty() && uri.serial.empty() && uri.module_path.empty()) return token(std::string_view());
  std::shared_ptr<Token> found;
  for (const auto& [name, settings] : configuration_.tokens) {
    if (!describes(uri, settings)) continue;
    if (found) {
      throw config::Error("several configured tokens match the " + description(uri) +
                          " of the URI; give the URI a serial");
    }
    found = configured_.at(name);
  }
  return found ? found : described(uri);
}

std::shared_ptr<Token> Tokens::described(const pkcs11::Uri& uri) {
  if (uri.module_path.empty()) {
    throw config::Error(
        "no configured token is the " + description(uri) + " of the URI; add a [token.NAME]" +
        (configuration_.file.empty() ? std::string() : " to " + configuration_.file.string()) +
        " or give the URI a module-path");
  }
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Token>& token = described_[uri.module_path + '\n' + uri.token + '\n' + uri.serial];
  if (!token) {
    config::TokenSettings settings;
    settings.module = uri.module_path;
    settings.label = uri.token;
    settings.serial = uri.serial;
    token = open(uri.token.empty() ? uri.serial : uri.token, settings, pin_of(uri, prompt_));
  }
  return token;
}

}  // namespace keystay::keys
