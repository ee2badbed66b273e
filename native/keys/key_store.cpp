#include "native/keys/key_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "native/keys/chain.h"
#include "native/keys/destruction.h"
#include "native/keys/issuer_search.h"
#include "native/keys/issuers.h"
#include "native/keys/key_pair.h"
#include "native/keys/leaf_replacement.h"
#include "native/keys/naming.h"
#include "native/keys/stored_object.h"
#include "native/keys/unfinished.h"
#include "native/keys/unfinished_label.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

std::string named(std::string_view alias) { return "alias \"" + std::string(alias) + "\""; }

// All that may belong to the key which these name; an empty one names any.
TokenObjects read_named(Session& session, const Pkix& pkix, std::string_view label, ByteView id) {
  if (!id.empty()) return read_by_id(session, pkix, id);
  Template search;
  if (!label.empty()) search.text(CKA_LABEL, label);
  return read_matching(session, pkix, std::move(search));
}

std::vector<Chain> chains_of(const Listing& listing) {
  std::vector<Chain> chains;
  for (const ListedEntry& listed : listing.entries) chains.push_back(listed.chain);
  return chains;
}

[[noreturn]] void fail_ambiguous(std::string_view label, const std::vector<KeyObject>& keys) {
  std::set<pkcs11::Bytes> ids;
  std::string listed;
  for (const KeyObject& key : keys) {
    ids.insert(key.id);
    listed += (listed.empty() ? "" : ", ") +
              (label.empty() || key.id.empty() ? "\"" + key.label + "\"" : id_alias(key.id));
  }
  const std::string what = label.empty() ? "the CKA_ID " + pkcs11::hex(keys.front().id) : named(label);
  throw Error(ErrorClass::client,
              what + " matches several private keys" +
                  (label.empty() ? ": " + listed + "; name one by its label too"
                   : ids.size() < keys.size() || std::ranges::any_of(ids, &pkcs11::Bytes::empty)
                       ? ", which no CKA_ID tells apart: " + listed +
                             "; give each a CKA_ID of its own with "
                             "pkcs11-tool --set-id"
                       : "; name one by its id: " + listed));
}

// Whether the key objects tell all about it. Not of an RSA key: only a certificate says that it is one of
// RSASSA-PSS (RFC 4055, section 1.2). Nor where a certificate shows the public half: there may be a public
// key object of another label, which would have to be asked first.
bool known_without_certificates(const KeyObject& key, const TokenObjects& objects) {
  if (key.type == CKK_RSA) return false;
  const auto half = public_half(key, ObjectIndex(objects));
  return half && half->source != PublicHalfSource::certificate;
}

// Also true where the public half is unknown, which is the caller's error to tell.
bool has_leaf(const KeyObject& key, const TokenObjects& objects) {
  const ObjectIndex index(objects);
  const auto half = public_half(key, index);
  return !half || leaf_of(key, half->key, index);
}

}  // namespace

KeyStore::KeyStore(std::shared_ptr<pkcs11::Token> token, const Pkix& pkix, View view)
    : token_(std::move(token)), pkix_(pkix), view_(view) {}

void KeyStore::require_view(Session& session) {
  if (view_ == View::whole) token_->require_login(session);
}

void KeyStore::write(const std::function<void(Session&)>& body) {
  const WritingTurn turn(token_->info());
  token_->with_rw_session(body);
}

std::vector<Entry> KeyStore::entries() {
  std::vector<Entry> entries;
  token_->with_session([&](Session& session) {
    require_view(session);
    entries = join_all(read_all(session, pkix_));
  });
  return entries;
}

Listing KeyStore::list() {
  Listing listing;
  token_->with_session([&](Session& session) { listing = read_listing(session); });
  return listing;
}

Listing KeyStore::read_listing(Session& session) {
  require_view(session);
  TokenObjects objects = read_all(session, pkix_);
  std::vector<Entry> entries = join_all(objects);
  std::vector<Unfinished> unfinished;  // a view without login does not tell what has no private key
  if (view_ == View::whole) unfinished = find_unfinished(session, objects, entries);
  drop_leftovers(objects.certificates, unfinished);
  Listing listing = listing_of(std::move(entries), objects.certificates, pkix_);
  listing.unreadable = unreadable_objects(objects);
  for (const CertificateObject* issuer : unneeded_issuers(objects.certificates, chains_of(listing))) {
    unfinished.push_back({Leftover::issuer, CKO_CERTIFICATE, issuer->label, issuer->id, {}, issuer->handle});
  }
  listing.unfinished = std::move(unfinished);
  return listing;
}

std::vector<Entry> KeyStore::join_each(const TokenObjects& objects) {
  const ObjectIndex index(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
    if (std::optional<Entry> entry = join(key, index, token_)) entries.push_back(std::move(*entry));
  }
  return entries;
}

// What the entries are once these certificates are gone.
std::vector<Entry> KeyStore::entries_without(Session& session, const std::vector<CertificateObject>& gone) {
  TokenObjects objects = read_all(session, pkix_);
  std::erase_if(objects.certificates, [&](const CertificateObject& object) {
    return std::ranges::find(gone, object.handle, &CertificateObject::handle) != gone.end();
  });
  return join_each(objects);
}

std::vector<Entry> KeyStore::join_all(const TokenObjects& objects) {
  const ObjectIndex index(objects);
  const std::set<CK_OBJECT_HANDLE> unnamed = claims(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
    if (is_unfinished_label(key.label) || unnamed.contains(key.handle)) continue;
    if (std::optional<Entry> entry = join(key, index, token_)) entries.push_back(std::move(*entry));
  }
  name_apart(entries);
  return entries;
}

Entry KeyStore::joined(const KeyObject& key, const TokenObjects& objects) {
  if (std::optional<Entry> entry = join(key, ObjectIndex(objects), token_)) return std::move(*entry);
  throw Error(ErrorClass::client, named(key.label) + " on " + token_->name() +
                                      " cannot be used: " + why_unknown(key, ObjectIndex(objects)));
}

std::optional<Entry> KeyStore::find(std::string_view alias, Parts parts) {
  if (alias.empty()) return std::nullopt;
  // What looks like an id may be a label that somebody gave to another key.
  if (!alias.starts_with(kIdPrefix)) {
    if (std::optional<Entry> entry = find(alias, {}, parts)) return entry;
  }
  std::optional<Named> named = resolve(alias);
  if (!named || !std::holds_alternative<Entry>(*named)) return std::nullopt;
  return std::get<Entry>(std::move(*named));
}

std::optional<Named> KeyStore::resolve(std::string_view alias) {
  TokenObjects objects;
  std::vector<Entry> entries;
  token_->with_session([&](Session& session) {
    require_view(session);
    objects = read_all(session, pkix_);
    entries = join_all(objects);
    if (view_ == View::whole)
      drop_leftovers(objects.certificates, find_unfinished(session, objects, entries));
  });
  try {
    return look_up(alias, entries, trusted_among(objects.certificates, entries));
  } catch (const Error& error) {
    throw error.on(token_->name());
  }
}

std::optional<Named> KeyStore::resolve_to_change(std::string_view alias) {
  std::optional<Named> named = resolve(alias);
  if (named) require_lasting_name(alias, *named);
  return named;
}

std::optional<Entry> KeyStore::find(std::string_view label, ByteView id, Parts parts) {
  std::optional<Entry> entry;
  token_->with_session([&](Session& session) { entry = find_one(session, label, id, parts); });
  return entry;
}

std::optional<Entry> KeyStore::find_one(Session& session, std::string_view label, ByteView id, Parts parts) {
  TokenObjects objects = read_named(session, pkix_, label, id);
  std::vector<KeyObject> found = objects.private_keys;
  std::erase_if(found, [&](const KeyObject& key) { return !label.empty() && key.label != label; });
  drop_claims(session, found);
  if (found.empty()) {
    require_view(session);
    return std::nullopt;
  }
  if (found.size() > 1) fail_ambiguous(label, found);
  const KeyObject key = found.front();
  if (parts == Parts::key && known_without_certificates(key, objects)) {
    objects.certificates.clear();
    return joined(key, objects);
  }
  if (id.empty()) objects = key.id.empty() ? read_all(session, pkix_) : read_by_id(session, pkix_, key.id);
  if (!has_leaf(key, objects)) {
    // Nobody's rule, but others do it: the certificate has the label or only the public key in common.
    objects.certificates = read_certificates(session, pkix_, objects_of(CKO_CERTIFICATE));
  }
  return joined(key, objects);
}

Chain KeyStore::chain(const Entry& entry) { return entry.leaf ? chain(*entry.leaf, {}) : Chain{}; }

Chain KeyStore::chain(const Certificate& leaf, const std::vector<Certificate>& others) {
  Chain chain;
  token_->with_session([&](Session& session) { chain = chain_on_token(session, pkix_, leaf, others); });
  return chain;
}

std::vector<Certificate> KeyStore::trusted_certificates(std::string_view label) {
  std::vector<Certificate> trusted;
  token_->with_session([&](Session& session) {
    require_view(session);
    trusted.clear();
    TokenObjects objects = read_all(session, pkix_);
    const std::vector<Entry> entries = join_all(objects);
    PublicKeySet keys;
    for (const Entry& entry : entries) keys.insert(entry.key.public_key());
    if (view_ == View::whole)
      drop_leftovers(objects.certificates, find_unfinished(session, objects, entries));
    for (const CertificateObject& object : objects.certificates) {
      const auto& certified = object.certificate.public_key;
      const bool is_leaf = certified && keys.contains(*certified);
      if (!is_leaf && (label.empty() || object.label == label)) trusted.push_back(object.certificate);
    }
  });
  return trusted;
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
    const auto entry = join(object, index, token_);
    throw Error(ErrorClass::client, "this key is on the token already, as " + named(entry->alias));
  }
}

Entry KeyStore::make(const std::function<void(Session&, std::string_view)>& make_pair) {
  const std::string label = unfinished_label();
  std::optional<Entry> entry;
  write([&](Session& session) {
    make_pair(session, label);
    entry = find_one(session, label, {}, Parts::key_and_leaf);
  });
  if (!entry) throw Error(ErrorClass::server, "the key is not on " + token_->name() + " after it was made");
  return std::move(*entry);
}

Entry KeyStore::generate_unfinished(const KeySpec& spec, KeyUse use) {
  return make(
      [&](Session& session, std::string_view label) { generate_key_pair(session, spec, use, pkix_, label); });
}

Entry KeyStore::import_unfinished(const SoftwareKey& key, KeyUse use) {
  (void)pkcs11::signature_size(key.public_key);  // refuses what could never sign
  return make([&](Session& session, std::string_view label) {
    destroy_labelled(session, label);  // by an earlier try
    require_new(session, key.public_key);
    import_key_pair(session, key, use, pkix_, label);
  });
}

Entry KeyStore::generate(std::string_view alias, const KeySpec& spec, KeyUse use) {
  require_unused(alias);
  return name_or_withdraw(generate_unfinished(spec, use), alias);
}

Entry KeyStore::import_key(std::string_view alias, const SoftwareKey& key, KeyUse use) {
  require_unused(alias);
  return name_or_withdraw(import_unfinished(key, use), alias);
}

void KeyStore::require_unused(std::string_view alias) {
  token_->with_rw_session([&](Session& session) { keys::require_unused(session, pkix_, alias); });
}

Entry KeyStore::name(const Entry& unfinished, std::string_view alias) {
  std::optional<Entry> entry;
  try {
    write([&](Session& session) {
      name_unfinished(session, pkix_, unfinished, alias);
      entry = find_one(session, alias, unfinished.key.reference().id(), Parts::key_and_leaf);
    });
  } catch (const Error&) {
    try {
      write([&](Session& session) { take_back_name(session, pkix_, unfinished, alias); });
    } catch (
        const Error&) {  // the first error is what the caller must hear; the alias has its key all the same
    }
    throw;
  }
  if (!entry) throw Error(ErrorClass::server, named(alias) + " is not there after it was made");
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
    destroy_unneeded_issuers(session, pkix_, join_each(read_all(session, pkix_)));
  } catch (const Error&) {
    return;
  }
}

void KeyStore::withdraw(const Entry& unfinished) {
  write([&](Session& session) {
    destroy_labelled(session, unfinished.key.reference().label());
    destroy_unneeded_issuers(session, pkix_, join_each(read_all(session, pkix_)));
  });
  token_->renew_sessions();  // sessions may hold copies of the key
}

void KeyStore::remove_unfinished(const std::vector<Unfinished>& shown) {
  write([&](Session& session) {
    std::vector<Unfinished> unfinished = read_listing(session).unfinished;
    order_for_removal(unfinished);
    for (const Unfinished& object : unfinished) {
      const auto is_same = [&](const Unfinished& other) { return other.is_same(object); };
      if (std::any_of(shown.begin(), shown.end(), is_same)) remove(session, object);
    }
  });
  token_->renew_sessions();
}

void KeyStore::replace_chain(const Entry& entry, const Chain& chain) {
  if (chain.empty()) throw Error(ErrorClass::client, "no certificate for " + named(entry.alias));
  if (chain.front().public_key != entry.key.public_key()) {
    throw Error(ErrorClass::client,
                "the certificate does not fit the key of " + named(entry.alias) +
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
    destroy_unneeded_issuers(session, pkix_, join_each(read_all(session, pkix_)));
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
    throw Error(ErrorClass::client, named(alias) + " exists already");
  write([&](Session& session) { rename_alias(session, pkix_, entry, alias); });
}

void KeyStore::destroy(const Entry& entry) {
  bool is_destroyed = false;  // in an earlier try
  write([&](Session& session) {
    if (!is_destroyed) destroy_private_key(session, pkix_, entry);
    is_destroyed = true;
    destroy_rest(session, pkix_, entry, join_each(read_all(session, pkix_)));
  });
  token_->renew_sessions();  // sessions may hold copies of the key
}

bool KeyStore::destroy_leftovers(std::string_view alias) {
  bool any = false;
  write([&](Session& session) {
    for (const Unfinished& object : leftovers_of(alias, read_listing(session).unfinished)) {
      any = true;
      remove(session, object);
    }
  });
  return any;
}

void KeyStore::destroy(const TrustedCertificate& trusted) {
  write([&](Session& session) {
    const TokenObjects objects = read_all(session, pkix_);
    std::vector<CertificateObject> retired;
    for (const CertificateObject& object : objects.certificates) {
      if (object.label == trusted.name() && object.certificate.der == trusted.certificate.der)
        retired.push_back(object);
    }
    retire(session, pkix_, retired, join_each(objects));
  });
}

}  // namespace keystay::keys
