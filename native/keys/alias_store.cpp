#include "native/keys/alias_store.h"

#include <algorithm>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/pkcs11/error.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;

Entry key_of(std::string_view alias, Named found) {
  if (auto* entry = std::get_if<Entry>(&found)) return std::move(*entry);
  if (const auto* object = std::get_if<UnreadableObject>(&found)) throw unusable(*object);
  throw Error(ErrorClass::client, quoted_alias(alias) + " is a trusted certificate and has no private key");
}

bool has_name(const Unfinished& object) {
  return object.leftover != Leftover::unnamed && object.leftover != Leftover::issuer;
}

}  // namespace

AliasStore::AliasStore(KeyStore& keys, KeptFile& file) : keys_(keys), file_(file) {}

bool AliasStore::is_listed(std::string_view alias) const {
  const config::KeyStoreFile& file = file_.content();
  return file.scope == config::KeyStoreScope::all ||
         std::ranges::find(file.aliases, alias) != file.aliases.end();
}

std::vector<Entry> AliasStore::entries() {
  std::vector<Entry> entries = keys_.entries();
  std::erase_if(entries, [this](const Entry& entry) { return !is_listed(entry.alias); });
  return entries;
}

Listing AliasStore::list() {
  Listing listing = keys_.list();
  std::erase_if(listing.entries,
                [this](const ListedEntry& listed) { return !is_listed(listed.entry.alias); });
  std::erase_if(listing.trusted,
                [this](const TrustedCertificate& certificate) { return !is_listed(certificate.alias); });
  std::erase_if(listing.unreadable,
                [this](const UnreadableObject& object) { return !is_listed(alias_of(object)); });
  std::erase_if(listing.unfinished, [this](const Unfinished& object) {
    if (!object.alias.empty()) return !is_listed(object.alias);
    return has_name(object) && !is_listed(object.label);
  });
  return listing;
}

std::optional<Entry> AliasStore::find(std::string_view alias) {
  std::optional<Entry> entry = keys_.find(alias);
  if (entry && !is_listed(entry->alias)) return std::nullopt;
  return entry;
}

Entry AliasStore::require_key(std::string_view alias) {
  if (std::optional<Entry> entry = find(alias)) return std::move(*entry);
  return key_of(alias, require(alias));
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
                                        ", but not on the list of " + file_.name() +
                                        "; add it to `aliases` there, or leave -keystore out");
  }
  throw Error(ErrorClass::client, quoted_alias(alias) + " does not exist on " + keys_.source().name() +
                                      "; keystay -list shows what does");
}

void AliasStore::add_to_list(std::string_view alias) {
  file_.update([&](config::KeyStoreFile& file) {
    const bool is_there = file.scope == config::KeyStoreScope::all ||
                          std::ranges::find(file.aliases, alias) != file.aliases.end();
    if (!is_there) file.aliases.emplace_back(alias);
  });
}

void AliasStore::take_off_list(std::string_view alias) {
  file_.update([&](config::KeyStoreFile& file) {
    if (file.scope == config::KeyStoreScope::listed) std::erase(file.aliases, alias);
  });
}

template <typename Change>
auto AliasStore::with_listed(std::string_view alias, const Change& change) {
  add_to_list(alias);
  try {
    return change();
  } catch (...) {
    // Somebody else may have made the alias of this name, and listed it in the same file.
    const std::optional<Named> there = keys_.resolve(alias);
    if (!there || alias_of(*there) != alias) take_off_list(alias);
    throw;
  }
}

Entry AliasStore::generate(std::string_view alias, const KeyRequest& request, const Certify& certify) {
  keys_.require_unused(alias);
  const Entry unfinished = keys_.generate_unfinished(request);
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
  return with_listed(alias, [&] { return keys_.name(unfinished, alias); });
}

void AliasStore::add_trusted(std::string_view alias, const Certificate& certificate) {
  keys_.require_unused(alias);
  with_listed(alias, [&] { keys_.add_certificate(alias, certificate); });
}

void AliasStore::replace_chain(const Entry& entry, const Chain& chain) {
  file_.require_made();
  keys_.replace_chain(entry, chain);
}

void AliasStore::rename(std::string_view alias, std::string_view new_alias) {
  const Entry entry = key_of(alias, require_listed(alias, keys_.resolve_to_change(alias)));
  keys_.require_unused(new_alias, entry);
  with_listed(new_alias, [&] { keys_.rename(entry, new_alias); });
  take_off_list(entry.alias);
}

void AliasStore::remove(std::string_view alias) {
  std::optional<Named> resolved = keys_.resolve_to_change(alias);
  const bool destroys = file_.content().on_delete == config::DeleteAction::destroy;
  if (!resolved && destroys && is_listed(alias) && keys_.destroy_leftovers(alias))
    return take_off_list(alias);
  const Named found = require_listed(alias, std::move(resolved));
  if (destroys) std::visit([&](const auto& object) { keys_.destroy(object); }, found);
  take_off_list(alias_of(found));
}

void AliasStore::remove_unfinished(const std::vector<Unfinished>& shown) {
  if (file_.content().on_delete == config::DeleteAction::forget) {
    throw Error(ErrorClass::client,
                "the key store file " + file_.name() +
                    " says delete = \"forget\", and nothing is destroyed through it; leave -keystore out");
  }
  keys_.remove_unfinished(shown);
}

}  // namespace keystay::keys
