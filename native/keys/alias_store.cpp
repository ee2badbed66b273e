#include "native/keys/alias_store.h"

#include <algorithm>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/alias_state.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

Entry key_of(std::string_view alias, Named found) {
  if (auto* entry = std::get_if<Entry>(&found)) return std::move(*entry);
  if (const auto* object = std::get_if<UnreadableObject>(&found)) throw unusable(*object);
  const auto* secret_key = std::get_if<SecretKey>(&found);
  throw Error(ErrorClass::client,
              quoted_alias(alias) +
                  (secret_key ? " is a secret key, " + describe_key(*secret_key) + ", and no key pair"
                              : std::string(" is a trusted certificate and has no private key")));
}

bool has_name(const Unfinished& object) {
  return object.leftover != Leftover::unnamed && object.leftover != Leftover::issuer;
}

bool has_exactly(const config::KeyStoreFile& file, std::string_view alias) {
  return file.scope == config::KeyStoreScope::all ||
         std::ranges::find(file.aliases, alias) != file.aliases.end();
}

// Whether a name means this alias, as it would in a command; none that means several keys does.
bool means(KeyStore& keys, std::string_view name, std::string_view alias) {
  try {
    const std::optional<Named> named = keys.resolve(name, Parts::key);
    return named && alias_of(*named) == alias;
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::client) throw;
    return false;
  }
}

// The token is asked only about names on the list that differ from the alias in letter case.
bool shows(KeyStore& keys, const config::KeyStoreFile& file, std::string_view alias) {
  // The versions of an alias are on the list with it.
  if (has_exactly(file, alias) || has_exactly(file, version_of(alias).alias)) return true;
  const std::string folded = pkcs11::case_folded(alias);
  return std::ranges::any_of(file.aliases, [&](const std::string& name) {
    return pkcs11::case_folded(name) == folded && means(keys, name, alias);
  });
}

// The name itself, or else the one that differs from it in letter case only, if there is one. Returns whether
// it was there.
bool take_off(std::vector<std::string>& names, std::string_view alias) {
  if (std::erase(names, alias) > 0) return true;
  const std::string folded = pkcs11::case_folded(alias);
  const auto is_alias = [&](const std::string& name) { return pkcs11::case_folded(name) == folded; };
  return std::ranges::count_if(names, is_alias) == 1 && std::erase_if(names, is_alias) == 1;
}

bool is_same(const pkcs11::KeyReference& a, const pkcs11::KeyReference& b) {
  return a.label() == b.label() && a.id() == b.id() && a.public_key() == b.public_key();
}

bool is_as_read(const std::optional<Named>& named, const pkcs11::KeyReference* key) {
  const auto* entry = named ? std::get_if<Entry>(&*named) : nullptr;
  return key ? entry && is_same(entry->key.reference(), *key) : !entry;
}

Error taken(const Named& named) {
  const char* what = std::holds_alternative<Entry>(named)                ? "is a key"
                     : std::holds_alternative<TrustedCertificate>(named) ? "is a trusted certificate"
                     : std::holds_alternative<SecretKey>(named)          ? "is a secret key"
                                                                         : "cannot be used";
  return {ErrorClass::client,
          quoted_alias(alias_of(named)) + " exists and " + what + "; delete it first, or take another name"};
}

}  // namespace

AliasStore::AliasStore(KeyStore& keys, KeptFile& file) : keys_(keys), file_(file) {}

bool AliasStore::is_listed(std::string_view alias) const { return shows(keys_, file_.content(), alias); }

std::vector<Entry> AliasStore::entries() {
  const config::KeyStoreFile file = file_.content();
  std::vector<Entry> entries = keys_.entries();
  std::erase_if(entries, [&](const Entry& entry) { return !shows(keys_, file, entry.alias); });
  return entries;
}

Listing AliasStore::list() {
  const config::KeyStoreFile file = file_.content();
  const auto is_hidden = [&](std::string_view alias) { return !shows(keys_, file, alias); };
  Listing listing = keys_.list();
  std::erase_if(listing.entries, [&](const ListedEntry& listed) { return is_hidden(listed.entry.alias); });
  std::erase_if(listing.trusted,
                [&](const TrustedCertificate& certificate) { return is_hidden(certificate.alias); });
  std::erase_if(listing.secret_keys, [&](const SecretKey& key) { return is_hidden(key.alias); });
  std::erase_if(listing.unreadable,
                [&](const UnreadableObject& object) { return is_hidden(alias_of(object)); });
  std::erase_if(listing.unfinished, [&](const Unfinished& object) {
    if (!object.alias.empty()) return is_hidden(object.alias);
    return has_name(object) && is_hidden(object.label);
  });
  return listing;
}

std::optional<Named> AliasStore::shown(std::optional<Named> found) const {
  return found && is_listed(alias_of(*found)) ? std::move(found) : std::nullopt;
}

std::optional<Named> AliasStore::resolve(std::string_view alias) { return shown(keys_.resolve(alias)); }

std::optional<Entry> AliasStore::find(std::string_view alias) {
  std::optional<Entry> entry = keys_.find(alias);
  if (entry && !is_listed(entry->alias)) return std::nullopt;
  return entry;
}

Entry AliasStore::require_key(std::string_view alias) {
  if (std::optional<Entry> entry = find(alias)) return std::move(*entry);
  return key_of(alias, require(alias));
}

SecretKey AliasStore::require_secret_key(std::string_view alias) {
  Named named = require(alias);
  if (auto* key = std::get_if<SecretKey>(&named)) return std::move(*key);
  throw Error(ErrorClass::client,
              quoted_alias(alias_of(named)) +
                  (std::holds_alternative<Entry>(named) ? " is a key pair" : " is a trusted certificate") +
                  " and no secret key; keystay -genseckey makes one");
}

Named AliasStore::require(std::string_view alias) {
  Named named = require_listed(alias, keys_.resolve(alias));
  if (const auto* object = std::get_if<UnreadableObject>(&named))
    throw unusable(*object).on(keys_.source().name());
  return named;
}

Named AliasStore::require_listed(std::string_view alias, std::optional<Named> found) {
  if (found && is_listed(alias_of(*found))) return std::move(*found);
  if (found) {
    throw Error(ErrorClass::client, quoted_alias(alias_of(*found)) + " is on " + keys_.source().name() +
                                        ", but not on the list of the " + file_.name() +
                                        "; add it to `aliases` there, or leave -keystore out");
  }
  if (keys_.resolve(deactivated_label(alias), Parts::key)) {
    throw Error(ErrorClass::client, quoted_alias(alias) + " is deactivated on " +
                                        name_with_members(keys_.source()) +
                                        "; keystay activate makes it usable again");
  }
  throw Error(ErrorClass::client, quoted_alias(alias) + " does not exist on " +
                                      name_with_members(keys_.source()) + "; keystay -list shows what does");
}

Entry AliasStore::read_again(const pkcs11::KeyReference& key) {
  if (std::optional<Entry> entry = keys_.find_again(key)) return std::move(*entry);
  throw Error(ErrorClass::client,
              quoted_alias(key.label()) + " is not on " + keys_.source().name() + " any more");
}

void AliasStore::add_to_list(std::string_view alias) {
  file_.update([&](config::KeyStoreFile& file) {
    if (!has_exactly(file, alias)) file.aliases.emplace_back(alias);
  });
}

bool AliasStore::take_off_list(std::string_view alias) {
  bool was_listed = false;
  file_.update([&](config::KeyStoreFile& file) {
    if (file.scope == config::KeyStoreScope::listed) was_listed = take_off(file.aliases, alias);
  });
  return was_listed;
}

template <typename Change>
auto AliasStore::with_listed(std::string_view alias, const Change& change) {
  add_to_list(alias);
  try {
    return change();
  } catch (...) {
    try {
      // Somebody else may have made the alias of this name, and listed it in the same file.
      const std::optional<Named> there = keys_.resolve(alias);
      if (!there || alias_of(*there) != alias) take_off_list(alias);
    } catch (const std::exception&) {  // the first error is what the caller must hear; the name harms nobody
    }
    throw;
  }
}

Entry AliasStore::generate(std::string_view alias, const KeyRequest& request, const Certify& certify) {
  require_alias_name(alias);
  keys_.require_unused(alias);
  return complete(alias, keys_.generate_unfinished(request), certify);
}

Entry AliasStore::import_key(std::string_view alias, const SoftwareKey& key, const Chain& chain) {
  keys_.require_unused(alias);
  return complete(alias, keys_.import_unfinished(key, KeyUse::sign), [&](const Entry&) { return chain; });
}

SecretKey AliasStore::generate(std::string_view alias, const SecretKeySpec& spec) {
  require_alias_name(alias);
  keys_.require_unused(alias);
  return complete(alias, keys_.generate_unfinished(spec));
}

SecretKey AliasStore::import_key(std::string_view alias, const SoftwareSecretKey& key) {
  require_alias_name(alias);
  keys_.require_unused(alias);
  return complete(alias, keys_.import_unfinished(key));
}

SecretKey AliasStore::complete(std::string_view alias, const SecretKey& unfinished) {
  try {
    return with_listed(alias, [&] { return keys_.name(unfinished, alias); });
  } catch (...) {
    try {
      keys_.withdraw(unfinished);
    } catch (const Error&) {  // the first error is what the user must hear; list() shows what remains
    }
    throw;
  }
}

Entry AliasStore::complete(std::string_view alias, const Entry& unfinished, const Certify& certify) {
  try {
    if (const Chain chain = certify(unfinished); !chain.empty()) keys_.replace_chain(unfinished, chain);
    return name(unfinished, alias);
  } catch (...) {
    try {
      keys_.withdraw(unfinished);
    } catch (const Error&) {  // the first error is what the user must hear; list() shows what remains
    }
    throw;
  }
}

Entry AliasStore::name(const Entry& unfinished, std::string_view alias) {
  require_alias_name(alias);
  return with_listed(alias, [&] { return keys_.name(unfinished, alias); });
}

void AliasStore::add_trusted(std::string_view alias, const Certificate& certificate) {
  require_alias_name(alias);
  keys_.require_unused(alias);
  with_listed(alias, [&] { keys_.add_certificate(alias, certificate); });
}

void AliasStore::set_certificate(std::string_view alias, const Certificate& certificate) {
  const std::optional<Named> there = resolve(alias);
  if (!there) return add_trusted(alias, certificate);
  const auto* trusted = std::get_if<TrustedCertificate>(&*there);
  if (!trusted || trusted->certificate.der != certificate.der) throw taken(*there);
}

void AliasStore::replace_chain(const Entry& entry, const Chain& chain) {
  require_named("replace the certificate of " + quoted_alias(entry.alias));
  keys_.replace_chain(entry, chain);
}

void AliasStore::rename(std::string_view alias, std::string_view new_alias) {
  Named named = require_listed(alias, keys_.resolve_to_change(alias));
  if (const auto* secret_key = std::get_if<SecretKey>(&named)) return rename(*secret_key, new_alias);
  rename(key_of(alias, std::move(named)), new_alias, {});
}

void AliasStore::rename(const SecretKey& key, std::string_view new_alias) {
  require_named("rename " + quoted_alias(key.alias));
  keys_.require_unused(new_alias, key);
  with_listed(new_alias, [&] { keys_.rename(key, new_alias); });
  take_off_list(key.alias);
}

std::string AliasStore::require_renamable(std::string_view alias, std::string_view new_alias) {
  Named named = require_listed(alias, keys_.resolve_to_change(alias));
  require_named("rename " + quoted_alias(alias_of(named)));
  const std::string name = alias_of(named);
  if (const auto* secret_key = std::get_if<SecretKey>(&named))
    keys_.require_unused(new_alias, *secret_key);
  else
    keys_.require_unused(new_alias, key_of(alias, std::move(named)));
  return name;
}

void AliasStore::rename(const Entry& entry, std::string_view new_alias, const Chain& chain) {
  require_named("rename " + quoted_alias(entry.alias));
  keys_.require_unused(new_alias, entry);
  const Entry certified = replace_other_chain(entry, chain);
  with_listed(new_alias, [&] { keys_.rename(certified, new_alias); });
  take_off_list(entry.alias);
}

Entry AliasStore::replace_other_chain(const Entry& entry, const Chain& chain) {
  if (chain.empty()) return entry;
  if (std::ranges::equal(keys_.chain(entry), chain, {}, &Certificate::der, &Certificate::der)) return entry;
  keys_.replace_chain(entry, chain);
  return read_again(entry.key.reference());
}

Entry AliasStore::set_key(std::string_view alias, const Entry& key, const Chain& chain) {
  const pkcs11::KeyReference& reference = key.key.reference();
  if (const std::optional<Named> there = resolve(alias)) {
    const auto* entry = std::get_if<Entry>(&*there);
    if (!entry || !is_same(entry->key.reference(), reference)) throw taken(*there);
    require_named("replace the certificate of " + quoted_alias(entry->alias));
    return replace_other_chain(*entry, chain);
  }
  if (is_unfinished_label(reference.label())) return name(replace_other_chain(key, chain), alias);
  static_cast<void>(require_listed(key.alias, Named(key)));
  require_alias_name(alias);
  rename(key, alias, chain);
  return read_again(reference);
}

bool AliasStore::destroys() const { return file_.content().on_delete == config::DeleteAction::destroy; }

bool AliasStore::forget(std::string_view alias) {
  if (take_off_list(alias)) return true;
  const std::optional<Named> found = keys_.resolve(alias);
  return found && take_off_list(alias_of(*found));
}

bool AliasStore::destroy(std::string_view alias, const std::optional<Named>& named) {
  if (!named) {
    const bool was_left = is_listed(alias) && file_.is_named() && keys_.destroy_leftovers(alias);
    return take_off_list(alias) || was_left;
  }
  require_named("destroy " + quoted_alias(alias_of(*named)));
  std::visit([&](const auto& object) { keys_.destroy(object); }, *named);
  take_off_list(alias_of(*named));
  return true;
}

void AliasStore::remove(std::string_view alias) {
  if (!destroys() && forget(alias)) return;
  std::optional<Named> found = keys_.resolve_to_change(alias);
  const bool is_hidden = found && !is_listed(alias_of(*found));
  if (destroys() && !is_hidden && destroy(alias, found)) return;
  static_cast<void>(require_listed(alias, std::move(found)));
}

bool AliasStore::remove_as_read(std::string_view alias, const pkcs11::KeyReference* key) {
  if (!destroys()) return forget(alias);
  const std::optional<Named> named = shown(keys_.resolve_to_change(alias));
  if (is_as_read(named, key)) return destroy(alias, named);
  throw Error(ErrorClass::client, quoted_alias(alias) + " is not on " + keys_.source().name() +
                                      " as it was read; load the key store again");
}

void AliasStore::remove_unfinished(const std::vector<Unfinished>& shown) {
  if (file_.content().on_delete == config::DeleteAction::forget) {
    throw Error(ErrorClass::client,
                "the " + file_.name() +
                    " says delete = \"forget\", and nothing is destroyed through it; leave -keystore out");
  }
  keys_.remove_unfinished(shown);
}

}  // namespace keystay::keys
