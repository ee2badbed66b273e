// What of KeyStore changes something.
#include <algorithm>
#include <optional>
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
#include "native/keys/key_store.h"
#include "native/keys/leaf_replacement.h"
#include "native/keys/name_holders.h"
#include "native/keys/naming.h"
#include "native/keys/replicas.h"
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

}  // namespace

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

Entry KeyStore::find_made(const std::string& label) {
  if (std::optional<Entry> entry = find(label, ByteView{}, Parts::key)) return std::move(*entry);
  throw Error(ErrorClass::server, "the key is not on " + source_->name() + " after it was made");
}

Entry KeyStore::make(const std::string& label,
                     const std::function<void(Session&, std::string_view)>& make_pair) {
  bool is_repeated = false;
  write([&](Session& session) {
    if (std::exchange(is_repeated, true)) destroy_labelled(session, label);
    make_pair(session, label);
  });
  return find_made(label);
}

Entry KeyStore::generate_unfinished(const KeyRequest& request) {
  if (replicas_) return find_made(replicas_->generate(request));
  return make(unfinished_label(), [&](Session& session, std::string_view label) {
    require_new_id(session, request.id);
    generate_key_pair(session, request, pkix_, label);
  });
}

Entry KeyStore::import_unfinished(const SoftwareKey& key, KeyUse use, std::string_view label) {
  (void)pkcs11::signature_size(key.public_key);  // refuses what could never sign
  if (replicas_) return find_made(replicas_->import(key, use));
  return make(label.empty() ? unfinished_label() : std::string(label),
              [&](Session& session, std::string_view unfinished) {
                require_new(session, key.public_key);
                import_key_pair(session, key, use, pkix_, unfinished);
              });
}

Entry KeyStore::generate(std::string_view alias, const KeyRequest& request) {
  require_alias_name(alias);
  require_unused(alias);
  return name_or_withdraw(generate_unfinished(request), alias);
}

Entry KeyStore::import_key(std::string_view alias, const SoftwareKey& key, KeyUse use) {
  require_alias_name(alias);
  require_unused(alias);
  return name_or_withdraw(import_unfinished(key, use), alias);
}

void KeyStore::require_unused(std::string_view alias) {
  if (replicas_) return replicas_->require_unused(alias);
  source_->with_rw_session([&](Session& session) { keys::require_unused(session, pkix_, alias); });
}

void KeyStore::require_unused(std::string_view alias, const Entry& own) {
  if (replicas_) return replicas_->require_unused(alias, own);
  source_->with_rw_session([&](Session& session) {
    keys::require_unused(session, pkix_, alias, {find_unchanged(session, own), &own});
  });
}

Entry KeyStore::name(const Entry& unfinished, std::string_view alias) {
  if (replicas_)
    replicas_->name(unfinished, alias);
  else
    name_on_token(unfinished, alias);
  std::optional<Entry> entry = find(alias, unfinished.key.reference().id());
  if (!entry) throw Error(ErrorClass::server, quoted_alias(alias) + " is not there after it was made");
  return std::move(*entry);
}

void KeyStore::name_on_token(const Entry& unfinished, std::string_view alias) {
  try {
    write([&](Session& session) { name_unfinished(session, pkix_, unfinished, alias); });
  } catch (const Error&) {
    try {
      write([&](Session& session) { take_back_name(session, pkix_, unfinished, alias); });
    } catch (
        const Error&) {  // the first error is what the caller must hear; the alias has its key all the same
    }
    throw;
  }
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
  if (replicas_) return replicas_->withdraw(unfinished);
  write([&](Session& session) {
    destroy_labelled(session, unfinished.key.reference().label());
    destroy_unneeded_issuers(session, pkix_, reader_->keys(read_all(session, pkix_)));
  });
  source_->renew_sessions();  // sessions may hold copies of the key
}

void KeyStore::remove_unfinished(const std::vector<Unfinished>& shown) {
  if (replicas_) return replicas_->remove_unfinished(shown);
  write([&](Session& session) {
    std::vector<UnfinishedObject> unfinished = unfinished_objects(session);
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
  if (replicas_) return replicas_->replace_chain(entry, chain);
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
    if (old->empty()) return;  // a first certificate makes no issuer unneeded
    const Chain stored = chain_by_searches(session, pkix_, chain.front());
    if (!has_other_issuers(session, pkix_, stored)) return;
    destroy_unneeded_issuers(session, pkix_, reader_->keys(read_all(session, pkix_)));
  });
}

void KeyStore::add_certificate(std::string_view label, const Certificate& certificate) {
  require_alias_name(label);
  if (replicas_) return replicas_->add_certificate(label, certificate);
  const std::string unfinished = unfinished_label();
  bool is_repeated = false;
  write([&](Session& session) {
    if (std::exchange(is_repeated, true)) destroy_labelled(session, unfinished);
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
  if (replicas_) return replicas_->rename(entry, alias);
  write([&](Session& session) { rename_alias(session, pkix_, entry, alias); });
}

void KeyStore::destroy(const Entry& entry) {
  if (replicas_) return replicas_->destroy(entry);
  bool is_destroyed = false;  // in an earlier try
  write([&](Session& session) {
    if (!is_destroyed) destroy_private_key(session, pkix_, entry);
    is_destroyed = true;
    destroy_rest(session, pkix_, entry, reader_->keys(read_all(session, pkix_)));
  });
  source_->renew_sessions();  // sessions may hold copies of the key
}

bool KeyStore::destroy_leftovers(std::string_view alias) {
  if (replicas_) return replicas_->destroy_leftovers(alias);
  bool any = false;
  write([&](Session& session) {
    for (const UnfinishedObject& object : leftovers_of(alias, unfinished_objects(session))) {
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
  if (replicas_) return replicas_->destroy(trusted);
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
