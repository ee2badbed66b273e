#include "native/keys/key_store.h"

#include <algorithm>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/chain.h"
#include "native/keys/issuer_search.h"
#include "native/keys/issuers.h"
#include "native/keys/key_pair.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_search.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

using pkcs11::ByteView;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

std::string named(std::string_view alias) { return "alias \"" + std::string(alias) + "\""; }

Template named_private_keys(std::string_view label) {
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.text(CKA_LABEL, label);
  return search;
}

// All that may belong to the key which these name; an empty one names any.
TokenObjects read_named(Session& session, const Pkix& pkix, std::string_view label, ByteView id) {
  if (!id.empty()) return read_by_id(session, pkix, id);
  Template search;
  if (!label.empty()) search.text(CKA_LABEL, label);
  return read_matching(session, pkix, std::move(search));
}

Template certificate_template(std::string_view label, ByteView id, const Certificate& certificate) {
  Template object = objects_of(CKO_CERTIFICATE);
  object.flag(CKA_TOKEN, true)
      .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
      .flag(CKA_PRIVATE, false)
      .text(CKA_LABEL, label)
      .bytes(CKA_ID, id)
      .bytes(CKA_SUBJECT, certificate.subject)
      .bytes(CKA_ISSUER, certificate.issuer)
      .bytes(CKA_SERIAL_NUMBER, certificate.serial_number)
      .bytes(CKA_VALUE, certificate.der);
  return object;
}

// The key's own label; where it has none, that of the certificate which stands for it.
std::string certificate_label(const Entry& entry) {
  const pkcs11::KeyReference& key = entry.key.reference();
  return key.label().empty() && entry.name() != id_alias(key.id()) ? entry.name() : key.label();
}

bool on_token(Session& session, const Certificate& certificate) {
  Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_VALUE, certificate.der);
  return !session.find_token_objects(std::move(search)).empty();
}

bool belongs_to(const CertificateObject& object, const Entry& entry) {
  return object.certificate.public_key == entry.key.public_key() &&
         (object.id == entry.key.reference().id() || object.label == entry.name());
}

// Of two private keys with one public half, which others made, each keeps what has its id or its label.
bool is_of_any(const KeyObject& object, const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [&](const Entry& entry) {
    return object.public_key == entry.key.public_key() &&
           (object.id == entry.key.reference().id() || object.label == entry.name());
  });
}

bool is_of_any(const CertificateObject& object, const std::vector<Entry>& entries) {
  return std::ranges::any_of(entries, [&](const Entry& entry) { return belongs_to(object, entry); });
}

// What may be the leaf of an entry: two searches, whatever else is on the token.
std::vector<CertificateObject> leaves_of(Session& session, const Pkix& pkix, const Entry& entry) {
  Template by_label = objects_of(CKO_CERTIFICATE);
  by_label.text(CKA_LABEL, entry.name());
  std::vector<CertificateObject> leaves = read_certificates(session, pkix, std::move(by_label));
  if (const pkcs11::Bytes& id = entry.key.reference().id(); !id.empty()) {
    Template by_id = objects_of(CKO_CERTIFICATE);
    by_id.bytes(CKA_ID, id);
    for (CertificateObject& object : read_certificates(session, pkix, std::move(by_id))) {
      if (object.label != entry.name()) leaves.push_back(std::move(object));
    }
  }
  std::erase_if(leaves, [&](const CertificateObject& object) { return !belongs_to(object, entry); });
  return leaves;
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

std::vector<Entry> KeyStore::entries() {
  std::vector<Entry> entries;
  token_->with_session([&](Session& session) {
    require_view(session);
    entries = join_all(read_all(session, pkix_));
  });
  return entries;
}

Listing KeyStore::list() {
  TokenObjects objects;
  token_->with_session([&](Session& session) {
    require_view(session);
    objects = read_all(session, pkix_);
  });
  Listing listing = listing_of(join_all(objects), objects.certificates, pkix_);
  listing.unreadable = unreadable_objects(objects);
  return listing;
}

std::vector<Entry> KeyStore::join_all(const TokenObjects& objects) {
  const ObjectIndex index(objects);
  std::vector<Entry> entries;
  for (const KeyObject& key : objects.private_keys) {
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
  token_->with_session([&](Session& session) {
    require_view(session);
    objects = read_all(session, pkix_);
  });
  const std::vector<Entry> entries = join_all(objects);
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
  std::erase_if(objects.private_keys,
                [&](const KeyObject& key) { return !label.empty() && key.label != label; });
  if (objects.private_keys.empty()) {
    require_view(session);
    return std::nullopt;
  }
  if (objects.private_keys.size() > 1) {
    std::string ids;
    for (const KeyObject& key : objects.private_keys) ids += (ids.empty() ? "" : ", ") + id_alias(key.id);
    throw Error(ErrorClass::client,
                named(label) + " matches several private keys; name one by its id: " + ids);
  }
  const KeyObject key = objects.private_keys.front();
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
    const TokenObjects objects = read_all(session, pkix_);
    PublicKeySet keys;
    for (const Entry& entry : join_all(objects)) keys.insert(entry.key.public_key());
    for (const CertificateObject& object : objects.certificates) {
      const auto& certified = object.certificate.public_key;
      const bool is_leaf = certified && keys.contains(*certified);
      if (!is_leaf && (label.empty() || object.label == label)) trusted.push_back(object.certificate);
    }
  });
  return trusted;
}

void KeyStore::require_unused(Session& session, std::string_view alias) {
  require_alias_name(alias);
  if (!session.find_token_objects(named_private_keys(alias)).empty()) {
    throw Error(ErrorClass::client, named(alias) + " exists already; delete it first or take another name");
  }
}

Entry KeyStore::generate(std::string_view alias, const KeySpec& spec, KeyUse use) {
  const std::string pending = pending_label();
  std::optional<Entry> entry;
  token_->with_rw_session([&](Session& session) {
    require_unused(session, alias);
    generate_key_pair(session, spec, use, pkix_, {alias, pending});
    entry = find_one(session, alias, {}, Parts::key);
  });
  if (!entry) throw Error(ErrorClass::server, named(alias) + " is not there after it was generated");
  return std::move(*entry);
}

// Two objects of one key would be ambiguous: both have the same CKA_ID.
void KeyStore::require_new(Session& session, const pkcs11::PublicKey& key) {
  for (const Entry& entry : join_all(read_all(session, pkix_))) {
    if (entry.key.public_key() != key) continue;
    throw Error(ErrorClass::client, "this key is on the token already, as " + named(entry.alias));
  }
}

Entry KeyStore::import_key(std::string_view alias, const SoftwareKey& key, KeyUse use) {
  (void)pkcs11::signature_size(key.public_key);  // refuses what could never sign
  const std::string pending = pending_label();
  std::optional<Entry> entry;
  token_->with_rw_session([&](Session& session) {
    require_unused(session, alias);
    require_new(session, key.public_key);
    import_key_pair(session, key, use, pkix_, {alias, pending});
    entry = find_one(session, alias, {}, Parts::key_and_leaf);
  });
  if (!entry) throw Error(ErrorClass::server, named(alias) + " is not there after it was imported");
  return std::move(*entry);
}

void KeyStore::replace_chain(const Entry& entry, const Chain& chain) {
  if (chain.empty()) throw Error(ErrorClass::client, "no certificate for " + named(entry.alias));
  if (chain.front().public_key != entry.key.public_key()) {
    throw Error(ErrorClass::client,
                "the certificate does not fit the key of " + named(entry.alias) +
                    ": it certifies another public key; import the reply to this key's request");
  }
  token_->with_rw_session([&](Session& session) {
    auto old = leaves_of(session, pkix_, entry);
    for (auto issuer = chain.begin() + 1; issuer != chain.end(); ++issuer) {
      if (on_token(session, *issuer) || !issuer->public_key) continue;
      const pkcs11::Bytes id = pkix_.key_identifier(*issuer->public_key);
      session.create_object(certificate_template(issuer_label(id), id, *issuer));
    }
    const auto is_new = [&](const CertificateObject& object) {
      return object.certificate.der == chain.front().der;
    };
    if (std::none_of(old.begin(), old.end(), is_new)) {
      const pkcs11::KeyReference& key = entry.key.reference();
      session.create_object(certificate_template(certificate_label(entry), key.id(), chain.front()));
    }
    std::erase_if(old, is_new);
    // A CA's own alias: others' chains may still need what it had.
    const bool may_be_needed = std::any_of(old.begin(), old.end(), [&](const CertificateObject& object) {
      return may_be_an_issuer(session, pkix_, object.certificate);
    });
    retire(session, pkix_, old, may_be_needed ? join_all(read_all(session, pkix_)) : std::vector<Entry>{});
    const Chain stored = chain_by_searches(session, pkix_, chain.front());
    if (!has_other_issuers(session, pkix_, stored)) return;
    destroy_unneeded_issuers(session, pkix_, join_all(read_all(session, pkix_)));
  });
}

void KeyStore::add_certificate(std::string_view label, const Certificate& certificate) {
  require_alias_name(label);
  token_->with_rw_session([&](Session& session) {
    if (name_issuer(session, certificate, label)) return;
    const pkcs11::Bytes id =
        certificate.public_key ? pkix_.key_identifier(*certificate.public_key) : pkcs11::Bytes{};
    session.create_object(certificate_template(label, id, certificate));
  });
}

void KeyStore::rename(const Entry& entry, std::string_view alias) {
  token_->with_rw_session([&](Session& session) {
    require_unused(session, alias);
    const pkcs11::KeyReference& key = entry.key.reference();
    const CK_OBJECT_HANDLE private_key = pkcs11::find_private_key(session, key);
    const TokenObjects objects =
        key.id().empty() ? read_all(session, pkix_) : read_by_id(session, pkix_, key.id());
    const auto label = [&](CK_OBJECT_HANDLE object) {
      session.set_attributes(object, std::move(Template().text(CKA_LABEL, alias)));
    };
    for (const CertificateObject& object : objects.certificates) {
      if (belongs_to(object, entry)) label(object.handle);
    }
    for (const KeyObject& object : objects.public_keys) {
      if (object.public_key == entry.key.public_key()) label(object.handle);
    }
    label(private_key);  // last: its label is the alias
  });
}

void KeyStore::destroy(const Entry& entry) {
  token_->with_rw_session([&](Session& session) {
    TokenObjects objects = read_all(session, pkix_);
    const CK_OBJECT_HANDLE private_key = pkcs11::find_private_key(session, entry.key.reference());
    std::erase_if(objects.private_keys, [&](const KeyObject& key) { return key.handle == private_key; });
    const std::vector<Entry> staying = join_all(objects);
    // First: if the token refuses this, nothing is lost.
    session.destroy_object(private_key);
    for (const KeyObject& object : objects.public_keys) {
      if (object.public_key == entry.key.public_key() && !is_of_any(object, staying))
        session.destroy_object(object.handle);
    }
    std::vector<CertificateObject> retired;
    for (CertificateObject& object : objects.certificates) {
      if (belongs_to(object, entry) && !is_of_any(object, staying)) retired.push_back(std::move(object));
    }
    retire(session, pkix_, retired, staying);
    destroy_unneeded_issuers(session, pkix_, join_all(read_all(session, pkix_)));
  });
  token_->renew_sessions();  // sessions may hold copies of the key
}

void KeyStore::destroy(const TrustedCertificate& trusted) {
  token_->with_rw_session([&](Session& session) {
    const TokenObjects objects = read_all(session, pkix_);
    std::vector<CertificateObject> retired;
    for (const CertificateObject& object : objects.certificates) {
      if (object.label == trusted.name() && object.certificate.der == trusted.certificate.der)
        retired.push_back(object);
    }
    retire(session, pkix_, retired, join_all(objects));
  });
}

}  // namespace keystay::keys
