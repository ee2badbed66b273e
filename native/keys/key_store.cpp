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
#include "native/keys/replicas.h"
#include "native/keys/secret_key_objects.h"
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
      reader_(std::make_unique<const EntryReader>(source_->operations(), pkix)) {
  if (auto replication = source_->replication())
    replicas_ = std::make_unique<Replicas>(*std::move(replication), pkix);
}

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
  const std::vector<SecretKeyObject> secret_keys = read_secret_keys(session);
  std::vector<SecretKey> secret_aliases = secret_keys_among(secret_keys, entries);
  Listing listing = listing_of(std::move(entries), objects.certificates, pkix_, std::move(secret_aliases));
  listing.unreadable = unreadable_objects(objects);
  for (const SecretKeyObject& object : secret_keys) {
    const pkcs11::KeyReference& key = object.key.reference;
    if (is_unfinished_label(key.label()) && view_ == View::whole)
      unfinished.push_back({{Leftover::unnamed, CKO_SECRET_KEY, key.label(), key.id(), {}}, object.handle});
  }
  for (const CertificateObject* issuer : unneeded_issuers(objects.certificates, chains_of(listing))) {
    unfinished.push_back(
        {{Leftover::issuer, CKO_CERTIFICATE, issuer->label, issuer->id, {}}, issuer->handle});
  }
  listing.unfinished.assign(unfinished.begin(), unfinished.end());
  return {std::move(listing), std::move(unfinished)};
}

std::vector<UnfinishedObject> KeyStore::unfinished_objects(Session& session) {
  return read_listing(session).unfinished;
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
  // What looks like an id may be the label of another key.
  if (alias.empty() || is_by_id(alias) || is_unfinished_label(alias)) return look_up(alias, Purpose::use);
  std::optional<Named> named;
  source_->search([&](Session& session) {
    named.reset();
    if (auto key = reader_->find_key(session, alias, {}, parts))
      named = std::visit([](auto& object) { return Named(std::move(object)); }, *key);
    else if (auto secret_keys = secret_keys_among(read_secret_keys(session, alias), {});
             secret_keys.size() == 1)
      named = std::move(secret_keys.front());
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
    const std::vector<SecretKey> secret_keys = secret_keys_among(read_secret_keys(session), entries);
    named = keys::look_up(alias,
                          {entries, trusted_among(objects.certificates, entries, secret_keys),
                           unreadable_objects(objects), secret_keys},
                          purpose);
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

}  // namespace keystay::keys
