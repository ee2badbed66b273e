#include "keystore-tools/alias_store.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "keystore-tools/failure.h"
#include "keystore-tools/terminal.h"
#include "native/config/file.h"
#include "native/keys/alias_name.h"
#include "native/pkcs11/text.h"

namespace keystay::tools {
namespace {

using keys::Entry;
using keys::Named;
using keys::quoted_alias;
using keys::TrustedCertificate;

// Of what is to be used: throws Failure, or Error that says why a key cannot be.
Entry key_of(std::string_view alias, Named found) {
  if (auto* entry = std::get_if<Entry>(&found)) return std::move(*entry);
  if (const auto* object = std::get_if<keys::UnreadableObject>(&found)) throw keys::unusable(*object);
  throw Failure(quoted_alias(alias) + " is a trusted certificate and has no private key");
}

// A PIN that was given on the command line answers the question for it.
config::PinPrompt prompt(const StoreOptions& options) {
  return [given = options.pin](std::string_view token) {
    if (!given) return ask_pin("PIN of token \"" + std::string(token) + "\": ");
    return given->copy();
  };
}

// "" if the PIN is to come from where the configuration says.
std::string pin_source(const StoreOptions& options) { return options.pin ? "prompt" : options.pin_source; }

// A URI names the module itself, so that a key store file may do without a configuration.
bool may_lack_configuration(const StoreOptions& options, std::string_view token) {
  return options.configuration.empty() && pkcs11::is_pkcs11_uri(token);
}

config::Configuration configuration(const StoreOptions& options, std::string_view token) {
  const auto file = options.configuration.empty() ? config::configuration_file() : options.configuration;
  if (may_lack_configuration(options, token) && config::is_absent(file)) return {};
  config::Configuration configuration = config::read_configuration(file);
  if (const std::string source = pin_source(options); !source.empty()) {
    for (auto& [name, settings] : configuration.tokens) settings.pin = source;
  }
  return configuration;
}

std::shared_ptr<pkcs11::Token> open_token(const std::string& name, const StoreOptions& options) {
  keys::Tokens tokens(configuration(options, name), prompt(options));
  if (!pkcs11::is_pkcs11_uri(name)) return tokens.token(std::string_view(name));
  pkcs11::Uri uri = pkcs11::parse_token_uri(name);
  if (const std::string source = pin_source(options); !source.empty()) uri.pin_source = source;
  return tokens.token(uri);
}

// keytool's word for "no file: the token itself".
bool names_a_file(const std::filesystem::path& key_store) {
  return !key_store.empty() && key_store != "NONE";
}

std::string absence(const std::filesystem::path& file) {
  return "the key store file " + file.string() +
         " does not exist; correct its name, or make it by -genkeypair or -importcert (-keystore NONE is the "
         "token itself)";
}

// Before there is an alias for it.
void require_directory(const std::filesystem::path& file) {
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code unreadable;
  if (std::filesystem::is_directory(directory, unreadable)) return;
  throw Failure("the key store file " + file.string() + " cannot be made: " + directory.string() +
                " is no directory that can be entered");
}

config::KeyStoreFile key_store_file(const StoreOptions& options, bool is_missing) {
  config::KeyStoreFile key_store;
  if (names_a_file(options.key_store) && !is_missing) {
    key_store = config::read_key_store(options.key_store);
  } else {
    key_store.token = options.token;
  }
  if (!options.token.empty() && key_store.token != options.token) {
    throw Failure("the key store file " + options.key_store.string() + " is for token \"" + key_store.token +
                  "\", not for \"" + options.token + "\"; leave -token out, or name another file");
  }
  return key_store;
}

}  // namespace

struct AliasStore::Source {
  std::filesystem::path file;
  bool is_missing;
  config::KeyStoreFile key_store;
  std::shared_ptr<pkcs11::Token> token;

  Source(const StoreOptions& options, MissingKeyStore missing)
      : file(names_a_file(options.key_store) ? options.key_store : std::filesystem::path()),
        is_missing(find_missing(missing)),
        key_store(key_store_file(options, is_missing)),
        token(open_token(key_store.token, options)) {}

  [[nodiscard]] bool find_missing(MissingKeyStore missing) const {
    if (file.empty() || !config::is_absent(file)) return false;
    if (missing == MissingKeyStore::refused) throw Failure(absence(file));
    require_directory(file);
    return true;
  }
};

AliasStore::AliasStore(const StoreOptions& options, MissingKeyStore missing)
    : AliasStore(Source(options, missing)) {}

AliasStore::AliasStore(Source source)
    : file_(std::move(source.file)),
      file_is_missing_(source.is_missing),
      key_store_(std::move(source.key_store)),
      keys_(std::move(source.token), pkix_) {}

bool AliasStore::listed(std::string_view alias) const {
  if (key_store_.scope == config::KeyStoreScope::all) return true;
  return std::ranges::find(key_store_.aliases, alias) != key_store_.aliases.end();
}

void AliasStore::update_list(const std::function<void(config::KeyStoreFile&)>& change) {
  if (file_.empty()) return;
  config::update_key_store(file_, key_store_, [&](config::KeyStoreFile& key_store) {
    if (key_store.scope == config::KeyStoreScope::listed) change(key_store);
    key_store_ = key_store;
  });
  if (!std::exchange(file_is_missing_, false)) return;
  fmt::print(stderr, "keystay: note: made the key store file {}, with all aliases of {}\n", file_.string(),
             keys_.token().name());
}

void AliasStore::require_key_store() const {
  if (file_is_missing_) throw Failure(absence(file_));
}

std::vector<Entry> AliasStore::entries() {
  std::vector<Entry> entries = keys_.entries();
  std::erase_if(entries, [this](const Entry& entry) { return !listed(entry.alias); });
  return entries;
}

std::vector<TrustedCertificate> AliasStore::trusted_entries() {
  std::vector<TrustedCertificate> trusted = keys_.list().trusted;
  std::erase_if(trusted,
                [this](const TrustedCertificate& certificate) { return !listed(certificate.alias); });
  return trusted;
}

std::vector<keys::UnreadableObject> AliasStore::unreadable() {
  std::vector<keys::UnreadableObject> objects = keys_.list().unreadable;
  std::erase_if(objects,
                [this](const keys::UnreadableObject& object) { return !listed(keys::alias_of(object)); });
  return objects;
}

std::optional<Entry> AliasStore::find(std::string_view alias) {
  std::optional<Entry> entry = keys_.find(alias);
  if (entry && !listed(entry->alias)) return std::nullopt;
  return entry;
}

Entry AliasStore::require_key(std::string_view alias) {
  if (std::optional<Entry> entry = find(alias)) return std::move(*entry);
  return key_of(alias, require(alias));
}

Named AliasStore::require(std::string_view alias) {
  Named named = require_listed(alias, keys_.resolve(alias));
  if (const auto* object = std::get_if<keys::UnreadableObject>(&named))
    throw keys::unusable(*object).on(keys_.token().name());
  return named;
}

Named AliasStore::require_listed(std::string_view alias, std::optional<Named> found) {
  if (found && listed(keys::alias_of(*found))) return std::move(*found);
  if (found) {
    throw Failure(quoted_alias(keys::alias_of(*found)) + " is on " + keys_.token().name() +
                  ", but not on the list of " + file_.string() +
                  "; add it to `aliases` there, or leave -keystore out");
  }
  throw Failure(quoted_alias(alias) + " does not exist on " + keys_.token().name() +
                "; keystay -list shows what does");
}

void AliasStore::add_to_list(std::string_view alias) {
  update_list([&](config::KeyStoreFile& file) {
    if (std::ranges::find(file.aliases, alias) == file.aliases.end()) file.aliases.emplace_back(alias);
  });
}

void AliasStore::take_off_list(std::string_view alias) {
  update_list([&](config::KeyStoreFile& file) { std::erase(file.aliases, alias); });
}

// Somebody else may have made the alias of this name, and listed it in the same file.
void AliasStore::take_off_list_unless_there(std::string_view alias) {
  const std::optional<Named> there = keys_.resolve(alias);
  if (!there || keys::alias_of(*there) != alias) take_off_list(alias);
}

// The list comes before the alias: a name of nothing in it harms nobody, an alias that its own key store does
// not show is lost to whoever made it.
Entry AliasStore::generate(std::string_view alias, const keys::KeySpec& spec, const Certify& certify) {
  keys_.require_unused(alias);
  const Entry unfinished = keys_.generate_unfinished(spec);
  try {
    if (const keys::Chain chain = certify(unfinished); !chain.empty()) keys_.replace_chain(unfinished, chain);
    return name(unfinished, alias);
  } catch (...) {
    try {
      keys_.withdraw(unfinished);
    } catch (const pkcs11::Error&) {  // the first error is what the user must hear; -list shows what remains
    }
    throw;
  }
}

Entry AliasStore::name(const Entry& unfinished, std::string_view alias) {
  add_to_list(alias);
  try {
    return keys_.name(unfinished, alias);
  } catch (...) {
    take_off_list_unless_there(alias);
    throw;
  }
}

void AliasStore::add_trusted(std::string_view alias, const keys::Certificate& certificate) {
  keys_.require_unused(alias);
  add_to_list(alias);
  try {
    keys_.add_certificate(alias, certificate);
  } catch (...) {
    take_off_list_unless_there(alias);
    throw;
  }
}

void AliasStore::rename(std::string_view alias, std::string_view new_alias) {
  const Entry entry = key_of(alias, require_listed(alias, keys_.resolve_to_change(alias)));
  keys_.require_unused(new_alias, entry);
  add_to_list(new_alias);
  try {
    keys_.rename(entry, new_alias);
  } catch (...) {
    take_off_list_unless_there(new_alias);
    throw;
  }
  take_off_list(entry.alias);
}

std::vector<keys::Unfinished> AliasStore::unfinished() {
  std::vector<keys::Unfinished> unfinished = keys_.list().unfinished;
  std::erase_if(unfinished, [this](const keys::Unfinished& object) {
    if (!object.alias.empty()) return !listed(object.alias);
    const bool has_name =
        object.leftover != keys::Leftover::unnamed && object.leftover != keys::Leftover::issuer;
    return has_name && !listed(object.label);
  });
  return unfinished;
}

void AliasStore::remove_unfinished(const std::vector<keys::Unfinished>& shown) {
  if (key_store_.on_delete == config::DeleteAction::forget) {
    throw Failure("the key store file " + file_.string() +
                  " says delete = \"forget\", and nothing is destroyed through it; leave -keystore out");
  }
  keys_.remove_unfinished(shown);
}

void AliasStore::remove(std::string_view alias) {
  std::optional<Named> resolved = keys_.resolve_to_change(alias);
  const bool destroys = key_store_.on_delete == config::DeleteAction::destroy && listed(alias);
  if (!resolved && destroys && keys_.destroy_leftovers(alias)) return take_off_list(alias);
  const Named found = require_listed(alias, std::move(resolved));
  if (key_store_.on_delete == config::DeleteAction::destroy) {
    std::visit([&](const auto& object) { keys_.destroy(object); }, found);
  }
  update_list([&](config::KeyStoreFile& file) { std::erase(file.aliases, keys::alias_of(found)); });
}

}  // namespace keystay::tools
