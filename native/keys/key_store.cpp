#include "native/keys/key_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/chain.h"
#include "native/keys/destruction.h"
#include "native/keys/entry_join.h"
#include "native/keys/entry_reader.h"
#include "native/keys/issuer_search.h"
#include "native/keys/issuers.h"
#include "native/keys/key_pair.h"
#include "native/keys/leaf_replacement.h"
#include "native/keys/listing_of_objects.h"
#include "native/keys/name_holders.h"
#include "native/keys/naming.h"
#include "native/keys/stored_object.h"
#include "native/keys/unfinished_label.h"
#include "native/keys/unfinished_object.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

std::vector<Chain> chains_of(const Listing& listing) {
  std::vector<Chain> chains;
  for (const ListedEntry& listed : listing.entries) chains.push_back(listed.chain);
  return chains;
}

}  // namespace

KeyStore::KeyStore(std::shared_ptr<KeySource> source, const Pkix& pkix, View view)
    : source_(std::move(source)),
      pkix_(pkix),
      view_(view),
      reader_(std::make_unique<const EntryReader>(source_->operations(), pkix)) {}

KeyStore::~KeyStore() = default;

void KeyStore::require_view(Session& session) {
  if (view_ == View::whole) source_->require_login(session);
}

void KeyStore::write(const std::function<void(Session&)>& body) {
  const WritingTurn turn(source_->info());
  source_->with_rw_session(body);
}

std::vector<Entry> KeyStore::entries() {
  std::vector<Entry> entries;
  source_->with_session([&](Session& session) {
    require_view(session);
    entries = reader_->aliases(read_all(session, pkix_));
  });
  return entries;
}

// With the handles of what it shows as unfinished.
struct KeyStore::ReadListing {
  Listing listing;
  std::vector<UnfinishedObject> unfinished;
};

Listing KeyStore::list() {
  Listing listing;
  source_->with_session([&](Session& session) { listing = read_listing(session).listing; });
  return listing;
}

KeyStore::ReadListing KeyStore::read_listing(Session& session) {
  require_view(session);
  TokenObjects objects = read_all(session, pkix_);
  std::vector<Entry> entries = reader_->aliases(objects);
  std::vector<UnfinishedObject> unfinished;  // a view without login does not tell what has no private key
  if (view_ == View::whole) unfinished = find_unfinished(session, objects, entries);
  drop_leftovers(objects.certificates, unfinished);
  Listing listing = listing_of(std::move(entries), objects.certificates, pkix_);
  listing.unreadable = unreadable_objects(objects);
  for (const CertificateObject* issuer : unneeded_issuers(objects.certificates, chains_of(listing))) {
    unfinished.push_back(
        {{Leftover::issuer, CKO_CERTIFICATE, issuer->label, issuer->id, {}}, issuer->handle});
  }
  listing.unfinished.assign(unfinished.begin(), unfinished.end());
  return {std::move(listing), std::move(unfinished)};
}

// What the entries are once these certificates are gone.
std::vector<Entry> KeyStore::entries_without(Session& session, const std::vector<CertificateObject>& gone) {
  TokenObjects objects = read_all(session, pkix_);
  std::erase_if(objects.certificates, [&](const CertificateObject& object) {
    return std::ranges::find(gone, object.handle, &CertificateObject::handle) != gone.end();
  });
  return reader_->keys(objects);
}

std::optional<Entry> KeyStore::find(std::string_view alias, Parts parts) {
  std::optional<Named> named = resolve(alias, parts);
  if (!named) return std::nullopt;
  if (const auto* key = std::get_if<UnreadableObject>(&*named); key && key->object_class == CKO_PRIVATE_KEY)
    throw unusable(*key).on(source_->name());
  if (!std::holds_alternative<Entry>(*named)) return std::nullopt;
  return std::get<Entry>(std::move(*named));
}

std::optional<Named> KeyStore::resolve(std::string_view alias, Parts parts) {
  // What looks like an id may be a label that somebody gave to another key.
  if (alias.empty() || is_by_id(alias) || is_unfinished_label(alias)) return look_up(alias, Purpose::use);
  std::optional<Named> named;
  source_->search([&](Session& session) {
    named.reset();
    if (auto key = reader_->find_key(session, alias, {}, parts))
      named = std::visit([](auto& object) { return Named(std::move(object)); }, *key);
    return named.has_value();
  });
  return named ? std::move(named) : look_up(alias, Purpose::use);
}

std::optional<Named> KeyStore::resolve_to_change(std::string_view alias) {
  return look_up(alias, Purpose::change);
}

std::optional<Named> KeyStore::look_up(std::string_view alias, Purpose purpose) {
  std::optional<Named> named;
  source_->search([&](Session& session) {
    require_view(session);
    TokenObjects objects = read_all(session, pkix_);
    const std::vector<Entry> entries = reader_->aliases(objects);
    if (view_ == View::whole)
      drop_leftovers(objects.certificates, find_unfinished(session, objects, entries));
    named = keys::look_up(
        alias, {entries, trusted_among(objects.certificates, entries), unreadable_objects(objects)}, purpose);
    return named.has_value();
  });
  return named;
}

std::optional<Entry> KeyStore::find_again(const pkcs11::KeyReference& key) {
  std::optional<Entry> entry;
  source_->search([&](Session& session) {
    entry = reader_->find_again(session, key);
    if (!entry) require_view(session);
    return entry.has_value();
  });
  return entry;
}

std::optional<Entry> KeyStore::find(std::string_view label, ByteView id, Parts parts) {
  std::optional<Entry> entry;
  source_->search([&](Session& session) {
    entry = reader_->find(session, label, id, parts);
    if (!entry) require_view(session);
    return entry.has_value();
  });
  return entry;
}

Chain KeyStore::chain(const Entry& entry) { return entry.leaf ? chain(*entry.leaf, {}) : Chain{}; }

Chain KeyStore::chain(const Certificate& leaf, const std::vector<Certificate>& others) {
  Chain chain;
  source_->with_session([&](Session& session) { chain = chain_on_token(session, pkix_, leaf, others); });
  return chain;
}

// Two objects of one key would be ambiguous: both have the same CKA_ID.
void KeyStore::require_new(Session& session, const pkcs11::PublicKey& key) {
  const TokenObjects objects = read_all(session, pkix_);
  const ObjectIndex index(objects);
  for (const KeyObject& object : objects.private_keys) {
    const auto half = public_half(object, index);
    if (!half || half->key != key) continue;
    if (is_unfinished_label(object.label)) {
      throw Error(ErrorClass::client, "this key is on the token already, unfinished, as \"" + object.label +
                                          "\": its import is under way or was interrupted; keystay -cleanup "
                                          "removes it");
    }
    const auto entry = join(object, index, source_->operations());
    throw Error(ErrorClass::client, "this key is on the token already, as " + quoted_alias(entry->alias));
  }
}

// Two keys of one CKA_ID are told apart by their labels only.
void KeyStore::require_new_id(Session& session, ByteView id) {
  if (id.empty()) return;
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.bytes(CKA_ID, id);
  if (session.find_token_objects(std::move(search)).empty()) return;
  throw Error(ErrorClass::client, "a key on the token has the CKA_ID " + pkcs11::hex(id) +
                                      " already; take another one, or leave it out");
}

Entry KeyStore::make(const std::function<void(Session&, std::string_view)>& make_pair) {
  const std::string label = unfinished_label();
  std::optional<Entry> entry;
  write([&](Session& session) {
    make_pair(session, label);
    entry = reader_->find(session, label, {}, Parts::key_and_leaf);
  });
  if (!entry) throw Error(ErrorClass::server, "the key is not on " + source_->name() + " after it was made");
  return std::move(*entry);
}

Entry KeyStore::generate_unfinished(const KeyRequest& request) {
  return make([&](Session& session, std::string_view label) {
    destroy_labelled(session, label);  // by an earlier try
    require_new_id(session, request.id);
    generate_key_pair(session, request, pkix_, label);
  });
}

Entry KeyStore::import_unfinished(const SoftwareKey& key, KeyUse use) {
  (void)pkcs11::signature_size(key.public_key);  // refuses what could never sign
  return make([&](Session& session, std::string_view label) {
    destroy_labelled(session, label);  // by an earlier try
    require_new(session, key.public_key);
    import_key_pair(session, key, use, pkix_, label);
  });
}

Entry KeyStore::generate(std::string_view alias, const KeyRequest& request) {
  require_unused(alias);
  return name_or_withdraw(generate_unfinished(request), alias);
}

Entry KeyStore::import_key(std::string_view alias, const SoftwareKey& key, KeyUse use) {
  require_unused(alias);
  return name_or_withdraw(import_unfinished(key, use), alias);
}

void KeyStore::require_unused(std::string_view alias) {
  source_->with_rw_session([&](Session& session) { keys::require_unused(session, pkix_, alias); });
}

void KeyStore::require_unused(std::string_view alias, const Entry& own) {
  source_->with_rw_session([&](Session& session) {
    keys::require_unused(session, pkix_, alias, {find_unchanged(session, own), &own});
  });
}

Entry KeyStore::name(const Entry& unfinished, std::string_view alias) {
  std::optional<Entry> entry;
  try {
    write([&](Session& session) {
      name_unfinished(session, pkix_, unfinished, alias);
      entry = reader_->find(session, alias, unfinished.key.reference().id(), Parts::key_and_leaf);
    });
  } catch (const Error&) {
    try {
      write([&](Session& session) { take_back_name(session, pkix_, unfinished, alias); });
    } catch (
        const Error&) {  // the first error is what the caller must hear; the alias has its key all the same
    }
    throw;
  }
  if (!entry) throw Error(ErrorClass::server, quoted_alias(alias) + " is not there after it was made");
  return std::move(*entry);
}

Entry KeyStore::name_or_withdraw(const Entry& unfinished, std::string_view alias) {
  try {
    return name(unfinished, alias);
  } catch (const Error&) {
    try {
      withdraw(unfinished);
    } catch (const Error&) {  // the first error is what the caller must hear; list() shows what remains
    }
    throw;
  }
}

// The first error is what the caller must hear; list() shows what remains.
void KeyStore::forget_unneeded_issuers(Session& session) {
  try {
    destroy_unneeded_issuers(session, pkix_, reader_->keys(read_all(session, pkix_)));
  } catch (const Error&) {
    return;
  }
}

void KeyStore::withdraw(const Entry& unfinished) {
  write([&](Session& session) {
    destroy_labelled(session, unfinished.key.reference().label());
    destroy_unneeded_issuers(session, pkix_, reader_->keys(read_all(session, pkix_)));
  });
  source_->renew_sessions();  // sessions may hold copies of the key
}

void KeyStore::remove_unfinished(const std::vector<Unfinished>& shown) {
  write([&](Session& session) {
    std::vector<UnfinishedObject> unfinished = read_listing(session).unfinished;
    order_for_removal(unfinished);
    for (const UnfinishedObject& object : unfinished) {
      const auto is_same = [&](const Unfinished& other) { return other.is_same(object); };
      if (std::any_of(shown.begin(), shown.end(), is_same)) remove(session, object);
    }
  });
  source_->renew_sessions();
}

void KeyStore::replace_chain(const Entry& entry, const Chain& chain) {
  if (chain.empty()) throw Error(ErrorClass::client, "no certificate for " + quoted_alias(entry.alias));
  if (chain.front().public_key != entry.key.public_key()) {
    throw Error(ErrorClass::client,
                "the certificate does not fit the key of " + quoted_alias(entry.alias) +
                    ": it certifies another public key; import the reply to this key's request");
  }
  std::optional<std::set<pkcs11::Bytes>> old;
  write([&](Session& session) {
    static_cast<void>(find_unchanged(session, entry));
    if (!old) old = leaves_of(session, pkix_, entry);
    std::vector<CertificateObject> replaced;
    try {
      replaced = replace_leaf(session, pkix_, entry, chain, *old);
    } catch (const Error&) {
      forget_unneeded_issuers(session);
      throw;
    }
    // A CA's own alias: others' chains may still need what it had.
    const bool may_be_needed = std::ranges::any_of(replaced, [&](const CertificateObject& object) {
      return may_be_an_issuer(session, pkix_, object.certificate);
    });
    retire(session, pkix_, replaced,
           may_be_needed ? entries_without(session, replaced) : std::vector<Entry>{});
    const Chain stored = chain_by_searches(session, pkix_, chain.front());
    if (!has_other_issuers(session, pkix_, stored)) return;
    destroy_unneeded_issuers(session, pkix_, reader_->keys(read_all(session, pkix_)));
  });
}

void KeyStore::add_certificate(std::string_view label, const Certificate& certificate) {
  const std::string unfinished = unfinished_label();
  write([&](Session& session) {
    destroy_labelled(session, unfinished);  // by an earlier try
    keys::require_unused(session, pkix_, label);
    if (name_issuer(session, certificate, label)) return;
    const pkcs11::Bytes id =
        certificate.public_key ? pkix_.key_identifier(*certificate.public_key) : pkcs11::Bytes{};
    MadeObjects made(session);
    const CK_OBJECT_HANDLE object = made.add(store_certificate(session, unfinished, id, certificate));
    name_certificate(session, pkix_, object, label);
    made.keep();
  });
}

void KeyStore::rename(const Entry& entry, std::string_view alias) {
  if (entry.key.reference().label() == alias)
    throw Error(ErrorClass::client, quoted_alias(alias) + " has this name already");
  write([&](Session& session) { rename_alias(session, pkix_, entry, alias); });
}

void KeyStore::destroy(const Entry& entry) {
  bool is_destroyed = false;  // in an earlier try
  write([&](Session& session) {
    if (!is_destroyed) destroy_private_key(session, pkix_, entry);
    is_destroyed = true;
    destroy_rest(session, pkix_, entry, reader_->keys(read_all(session, pkix_)));
  });
  source_->renew_sessions();  // sessions may hold copies of the key
}

bool KeyStore::destroy_leftovers(std::string_view alias) {
  bool any = false;
  write([&](Session& session) {
    for (const UnfinishedObject& object : leftovers_of(alias, read_listing(session).unfinished)) {
      any = true;
      remove(session, object);
    }
  });
  return any;
}

void KeyStore::destroy(const UnreadableObject& object) {
  bool is_destroyed = false;  // in an earlier try
  write([&](Session& session) {
    if (!std::exchange(is_destroyed, true)) destroy_unreadable(session, pkix_, object);
  });
  source_->renew_sessions();
}

void KeyStore::destroy(const TrustedCertificate& trusted) {
  write([&](Session& session) {
    const TokenObjects objects = read_all(session, pkix_);
    std::vector<CertificateObject> retired;
    for (const CertificateObject& object : objects.certificates) {
      if (object.label == trusted.name() && object.certificate.der == trusted.certificate.der)
        retired.push_back(object);
    }
    retire(session, pkix_, retired, reader_->keys(objects));
  });
}

}  // namespace keystay::keys
