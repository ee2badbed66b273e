#include "native/keys/tokens.h"

#include <algorithm>
#include <utility>

#include "native/config/error.h"
#include "native/keys/alias_uri.h"
#include "native/keys/lane_source.h"
#include "native/keys/token_source.h"
#include "native/pkcs11/fork_lock.h"
#include "native/pkcs11/percent_encoding.h"
#include "native/remote/remote_module.h"

namespace keystay::keys {
namespace {

constexpr std::string_view kPrompt = "prompt";
// A lane does one call at a time; a second session is for work within other work.
constexpr std::size_t kSessionsOfALane = 4;

std::optional<pkcs11::Pin> copy(const std::optional<pkcs11::Pin>& pin) {
  return pin ? std::optional(pin->copy()) : std::nullopt;
}

pkcs11::PinReader reader_of(const pkcs11::Pin& pin) {
  return [kept = std::make_shared<const pkcs11::Pin>(pin.copy())] { return kept->copy(); };
}

bool same(const std::optional<pkcs11::Pin>& left, const std::optional<pkcs11::Pin>& right) {
  return left.has_value() == right.has_value() && (!left || left->equals(*right));
}

pkcs11::TokenIdentity identity_of(const pkcs11::Uri& uri) {
  return {uri.token, uri.serial, uri.manufacturer, uri.model};
}

// The configured token, if it is also what the URI says of it.
pkcs11::TokenIdentity identity_of(const config::TokenSettings& settings, const pkcs11::Uri& uri) {
  return {settings.label.empty() ? uri.token : settings.label,
          settings.serial.empty() ? uri.serial : settings.serial, uri.manufacturer, uri.model};
}

PinSupply supply_of(std::string_view pin_source) {
  return pin_source == kPrompt ? PinSupply::prompt : PinSupply::configured;
}

bool has_pin(const pkcs11::Uri& uri) { return uri.pin_value || !uri.pin_source.empty(); }

// A URI has one of them at most: parse_uri refuses both.
void take_pin(const pkcs11::Uri& uri, config::TokenSettings& settings, std::optional<pkcs11::Pin>& pin) {
  settings.pin = uri.pin_source;
  pin = uri.pin_value ? std::optional(uri.pin_value->copy()) : std::nullopt;
}

std::string shown_name(const pkcs11::Uri& uri, const config::TokenSettings& settings) {
  if (!uri.token.empty()) return uri.token;
  return uri.serial.empty() ? settings.module.filename().string() : uri.serial;
}

bool has_own_pin(const config::TokenSettings& settings, const pkcs11::Uri& uri) {
  return !has_pin(uri) || (!settings.pin.empty() && settings.pin != kPrompt);
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

}  // namespace

Tokens::Tokens(config::Configuration configuration, config::PinPrompt prompt,
               std::optional<WholeModule> whole_module, const Tokens* before)
    : configuration_(std::move(configuration)),
      prompt_(std::move(prompt)),
      whole_module_(std::move(whole_module)) {
  for (const auto& [name, settings] : configuration_.tokens) {
    if (before) {
      const auto known = before->configuration_.tokens.find(name);
      if (known != before->configuration_.tokens.end() && known->second == settings) {
        configured_.emplace(name, before->configured_.at(name));
        continue;
      }
    }
    const std::string& shown = settings.label.empty() ? name : settings.label;
    configured_.emplace(name,
                        open(name, settings, identity_of(settings, {}),
                             config::pin_reader(settings.pin, shown, prompt_), supply_of(settings.pin)));
  }
}

std::shared_ptr<KeySource> Tokens::open(const std::string& name, const config::TokenSettings& settings,
                                        pkcs11::TokenIdentity identity, pkcs11::PinReader pin,
                                        PinSupply supply) const {
  const bool copies = settings.key_copy == config::KeyCopy::automatic;
  const bool leaves = settings.hung_calls == config::HungCalls::left;
  pkcs11::TokenOptions options{name,
                               std::move(identity),
                               std::move(pin),
                               settings.remote ? kSessionsOfALane : settings.sessions,
                               settings.timeout,
                               copies ? pkcs11::KeyCopies::automatic : pkcs11::KeyCopies::never,
                               leaves ? pkcs11::HungCalls::left : pkcs11::HungCalls::waited_for,
                               settings.key_check};
  if (!settings.remote) {
    auto module = pkcs11::Module::at(settings.module, settings.module_arguments);
    return std::make_shared<TokenSource>(
        std::make_shared<pkcs11::Token>(std::move(module), std::move(options)), supply);
  }
  std::vector<std::shared_ptr<pkcs11::Token>> lanes;
  for (auto& module : remote::remote_modules(name, *settings.remote))
    lanes.push_back(std::make_shared<pkcs11::Token>(std::move(module), options));
  return std::make_shared<LaneSource>(std::move(lanes), supply);
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

std::shared_ptr<KeySource> Tokens::source(std::string_view name) const { return hand_out(named(name)); }

KeyLocation Tokens::locate(std::string_view alias_or_uri) {
  KeyLocation location = find_location(alias_or_uri);
  location.source = hand_out(std::move(location.source));
  return location;
}

std::shared_ptr<KeySource> Tokens::source(const pkcs11::Uri& uri) { return hand_out(find_source(uri)); }

std::shared_ptr<KeySource> Tokens::hand_out(std::shared_ptr<KeySource> source) const {
  const pkcs11::ForkLock lock;
  handed_out_.insert(source);
  return source;
}

std::shared_ptr<KeySource> Tokens::named(std::string_view name) const {
  if (name.empty() && configuration_.default_token.empty()) {
    throw config::Error("no token is named, and there is no default one; " + known_names());
  }
  const auto at = configured_.find(name.empty() ? std::string_view(configuration_.default_token) : name);
  if (at == configured_.end())
    throw config::Error("unknown token \"" + std::string(name) + "\"; " + known_names());
  return at->second;
}

void Tokens::add(std::string name, std::shared_ptr<KeySource> source) {
  configured_.emplace(std::move(name), std::move(source));
}

std::shared_ptr<KeySource> Tokens::added(std::string_view name) const {
  const auto known = configured_.find(name);
  return known == configured_.end() || configuration_.tokens.contains(name) ? nullptr : known->second;
}

KeyLocation Tokens::find_location(std::string_view alias_or_uri) {
  if (pkcs11::is_pkcs11_uri(alias_or_uri)) {
    pkcs11::Uri uri = pkcs11::parse_uri(alias_or_uri);
    return {find_source(uri), std::move(uri.object), std::move(uri.id)};
  }
  const bool is_uri = is_alias_uri(alias_or_uri);
  const std::string_view alias = is_uri ? path_of_alias_uri(alias_or_uri) : alias_or_uri;
  const auto decoded = [&](std::string_view text) {
    return is_uri ? pkcs11::percent_decoded(text) : std::string(text);
  };
  // Before decoding: an encoded slash is no delimiter (RFC 3986, section 2.2).
  if (const std::size_t slash = alias.find('/'); slash != alias.npos) {
    if (const auto at = configured_.find(decoded(alias.substr(0, slash))); at != configured_.end()) {
      return {at->second, decoded(alias.substr(slash + 1)), {}};
    }
  }
  return {default_source(), decoded(alias), {}};
}

std::shared_ptr<KeySource> Tokens::default_source() {
  return configuration_.default_token.empty() && whole_module_ ? described({}) : named({});
}

std::shared_ptr<KeySource> Tokens::find_source(const pkcs11::Uri& uri) {
  const bool any = uri.token.empty() && uri.serial.empty() && uri.module_path.empty();
  const bool only_label = uri.serial.empty() && uri.module_path.empty();
  if (auto other = only_label ? added(any ? configuration_.default_token : uri.token) : nullptr) return other;
  const std::string* name = any ? &configuration_.default_token : matching_name(uri);
  if (name && configured_.contains(*name)) return configured(*name, uri);
  return any && !whole_module_ ? named({}) : described(uri);
}

std::vector<Candidate> Tokens::candidates(const pkcs11::Uri& uri) {
  const bool names_token = !uri.token.empty() || !uri.serial.empty() || !uri.module_path.empty();
  const bool names_object = !uri.object.empty() || !uri.id.empty();
  std::vector<Candidate> found;
  if (names_token || !names_object) return found;
  // What is in a group is the group's: its members have the same keys.
  const auto in_a_group = [&](const std::string& name) {
    return std::ranges::any_of(configuration_.groups, [&](const auto& group) {
      return std::ranges::find(group.second.members, name) != group.second.members.end();
    });
  };
  const auto add_candidate = [&](const std::string& name, Candidate candidate) {
    found.insert(name == configuration_.default_token ? found.begin() : found.end(), std::move(candidate));
  };
  for (const auto& [name, settings] : configuration_.tokens) {
    if (!in_a_group(name)) add_candidate(name, {configured(name, uri), has_own_pin(settings, uri)});
  }
  for (const auto& [name, _] : configuration_.groups) {
    if (auto group = added(name)) add_candidate(name, {std::move(group), true});
  }
  if (found.size() + (whole_module_ ? 1 : 0) < 2) found.clear();
  return found;
}

std::shared_ptr<KeySource> Tokens::of_whole_module(const pkcs11::Uri& uri) {
  return whole_module_ ? hand_out(described(uri)) : nullptr;
}

const std::string* Tokens::matching_name(const pkcs11::Uri& uri) const {
  const std::string* found = nullptr;
  for (const auto& [name, settings] : configuration_.tokens) {
    if (!describes(uri, settings)) continue;
    if (found) {
      throw config::Error("several configured tokens match the " + to_string(identity_of(uri)) +
                          " of the URI; give the URI a serial");
    }
    found = &name;
  }
  return found;
}

std::shared_ptr<KeySource> Tokens::configured(const std::string& name, const pkcs11::Uri& uri) {
  const config::TokenSettings& settings = configuration_.tokens.at(name);
  const bool own_pin = has_own_pin(settings, uri);
  Described wanted{name, settings, identity_of(settings, uri), std::nullopt, nullptr};
  if (own_pin && wanted.identity == identity_of(settings, {})) return configured_.at(name);
  if (!own_pin) take_pin(uri, wanted.settings, wanted.pin);
  return open_described(std::move(wanted));
}

std::shared_ptr<KeySource> Tokens::described(const pkcs11::Uri& uri) {
  const bool of_whole_module =
      whole_module_ && (uri.module_path.empty() || uri.module_path == whole_module_->settings.module);
  if (uri.module_path.empty() && !of_whole_module) {
    throw config::Error(
        "no configured token is the " + to_string(identity_of(uri)) + " of the URI; add a [token.NAME]" +
        (configuration_.file.empty() ? std::string() : " to " + configuration_.file.string()) +
        " or give the URI a module-path");
  }
  Described wanted;
  if (of_whole_module) {
    wanted.settings = whole_module_->settings;
    wanted.pin = copy(whole_module_->pin);
  } else {
    wanted.settings.module = uri.module_path;
  }
  if (wanted.settings.module_arguments.empty()) {
    wanted.settings.module_arguments = arguments_of(wanted.settings.module);
  }
  wanted.name = shown_name(uri, wanted.settings);
  wanted.identity = identity_of(uri);
  if (has_pin(uri)) take_pin(uri, wanted.settings, wanted.pin);
  return open_described(std::move(wanted));
}

// What the configuration says of the module for the tokens that it has: a URI says nothing of that.
std::string Tokens::arguments_of(const std::filesystem::path& module) const {
  for (const auto& [name, settings] : configuration_.tokens) {
    if (settings.module.lexically_normal() == module.lexically_normal()) return settings.module_arguments;
  }
  return {};
}

std::shared_ptr<KeySource> Tokens::open_described(Described wanted) {
  const pkcs11::ForkLock lock;
  for (const Described& known : described_) {
    if (known.settings.module == wanted.settings.module && known.settings.remote == wanted.settings.remote &&
        known.settings.pin == wanted.settings.pin && known.identity == wanted.identity &&
        same(known.pin, wanted.pin))
      return known.source;
  }
  const std::string& shown = wanted.identity.label.empty() ? wanted.name : wanted.identity.label;
  wanted.source =
      open(wanted.name, wanted.settings, wanted.identity,
           wanted.pin ? reader_of(*wanted.pin) : config::pin_reader(wanted.settings.pin, shown, prompt_),
           wanted.pin ? PinSupply::configured : supply_of(wanted.settings.pin));
  return described_.emplace_back(std::move(wanted)).source;
}

void Tokens::require_repeatable_logins() const {
  std::vector<std::shared_ptr<KeySource>> used;
  {
    const pkcs11::ForkLock lock;
    used.assign(handed_out_.begin(), handed_out_.end());
  }
  for (const auto& source : used) source->require_repeatable_login();
}

}  // namespace keystay::keys
