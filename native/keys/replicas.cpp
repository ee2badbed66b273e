#include "native/keys/replicas.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/key_pair.h"
#include "native/keys/replica_change.h"
#include "native/keys/secret_key_objects.h"
#include "native/keys/token_objects.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

const pkcs11::KeyReference& reference_of(const Entry& entry) { return entry.key.reference(); }
const pkcs11::KeyReference& reference_of(const SecretKey& key) { return key.reference; }

std::optional<Entry> find_again(KeyStore& keys, const Entry& entry) {
  return keys.find_again(entry.key.reference());
}
std::optional<SecretKey> find_again(KeyStore& keys, const SecretKey& key) { return keys.find_again(key); }

CK_OBJECT_HANDLE find_object(Session& session, const Entry& unfinished) {
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.text(CKA_LABEL, unfinished.key.reference().label());
  const auto keys = session.find_token_objects(std::move(search));
  if (keys.size() != 1) throw Error(ErrorClass::server, "the new private key is not there any more");
  return keys.front();
}
CK_OBJECT_HANDLE find_object(Session& session, const SecretKey& unfinished) {
  return find_unchanged(session, unfinished);
}

void seal(Session& session, const Entry& unfinished) {
  seal_private_key(session, unfinished.key.reference().label());
}
void seal(Session& session, const SecretKey& unfinished) {
  seal_secret_key(session, unfinished.reference.label());
}

}  // namespace

Replicas::Replicas(Replication replication, const Pkix& pkix) : replication_(std::move(replication)) {
  for (const Replica& replica : replication_.replicas)
    stores_.push_back({replica.name, std::make_unique<KeyStore>(replica.source, pkix)});
}

Replicas::~Replicas() = default;

std::vector<const Replicas::Store*> Replicas::all() const {
  std::vector<const Store*> all;
  for (const Store& store : stores_) all.push_back(&store);
  return all;
}

std::vector<const Replicas::Store*> Replicas::ready_for_new_key() const {
  if (stores_.size() == 1) return all();
  if (!replication_.wrapping_key) {
    throw Error(
        ErrorClass::client,
        "a new key cannot come from one member to the others: there is no wrapping-key; write one in the "
        "section of the group and run keystay group init, or bring a key to the members by the "
        "means of their vendor");
  }
  Outcome outcome;
  std::vector<const Store*> ready;
  for (const Store& store : stores_) {
    const bool is_ready = outcome.note(store.name, [&] {
      KeySource& source = store.keys->source();
      source.with_session([&](Session& session) {
        source.require_login(session);
        static_cast<void>(find_wrapping_key(session, replication_.wrapping_key->label));
      });
    });
    if (is_ready) ready.push_back(&store);
  }
  if (ready.size() >= replication_.create_minimum) return ready;
  throw outcome.error("no key was made, since " + std::to_string(replication_.create_minimum) +
                      " members must have it (create-minimum): " + outcome.failed() +
                      "; keystay group init gives all the same wrapping key");
}

// `unwrap` makes the key of `wrapped`, in a session that may write, with the mechanism and the wrapping key.
template <typename Key, typename Unwrap>
void Replicas::copy(const Store& from, const Store& to, const Key& made, const Unwrap& unwrap) const {
  const WrappingKey& wrapping = *replication_.wrapping_key;
  Bytes wrapped;
  const CK_MECHANISM_TYPE wrapped_by =
      first_that_works(mechanisms_of(wrapping), [&](CK_MECHANISM_TYPE mechanism) {
        from.keys->source().with_session([&](Session& session) {
          wrapped = session.wrap_key({mechanism, nullptr, 0}, find_wrapping_key(session, wrapping.label),
                                     find_object(session, made));
        });
      });
  const WritingTurn turn(to.keys->source().info());
  first_that_works(unwrapping_mechanisms(wrapped_by), [&](CK_MECHANISM_TYPE mechanism) {
    to.keys->source().with_rw_session([&](Session& session) {
      unwrap(session, mechanism, find_wrapping_key(session, wrapping.label), wrapped);
    });
  });
}

// The first of `ready` has made it, and can still extract it.
template <typename Key, typename Unwrap>
std::string Replicas::share(const std::vector<const Store*>& ready, const Key& made, const Unwrap& unwrap) {
  const Store& first = *ready.front();
  std::size_t have = 1;
  Outcome outcome;
  for (const Store* store : ready) {
    if (store == &first) continue;
    have += outcome.note(store->name, [&] { copy(first, *store, made, unwrap); }) ? 1 : 0;
  }
  const bool is_sealed = outcome.note(first.name, [&] {
    const WritingTurn turn(first.keys->source().info());
    first.keys->source().with_rw_session([&](Session& session) { seal(session, made); });
  });
  if (is_sealed && have >= replication_.create_minimum) {
    if (!outcome.all_well() && replication_.notice)
      replication_.notice("the new key is not on all members: " + outcome.failed());
    return reference_of(made).label();
  }
  withdraw_quietly(made);
  throw outcome.error("no key was made: " + outcome.failed() + (outcome.was_refused() ? kOtherWays : ""));
}

std::string Replicas::generate(const KeyRequest& request) {
  const std::vector<const Store*> ready = ready_for_new_key();
  KeyStore& first = *ready.front()->keys;
  if (stores_.size() == 1) return first.generate_unfinished(request).key.reference().label();
  KeyRequest open = request;
  open.extraction = Extraction::until_sealed;
  const Entry made = first.generate_unfinished(open);
  const pkcs11::KeyReference& reference = made.key.reference();
  return share(ready, made,
               [&](Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE wrapping_key,
                   const Bytes& wrapped) {
                 unwrap_key_pair(session, mechanism, wrapping_key,
                                 {made.key.public_key(), request.use, reference.id(), wrapped},
                                 reference.label());
               });
}

std::string Replicas::generate(const SecretKeySpec& spec) {
  const std::vector<const Store*> ready = ready_for_new_key();
  KeyStore& first = *ready.front()->keys;
  if (stores_.size() == 1) return first.generate_unfinished(spec).reference.label();
  const SecretKey made = first.generate_unfinished(spec, Extraction::until_sealed);
  const pkcs11::KeyReference& reference = made.reference;
  return share(ready, made,
               [&](Session& session, CK_MECHANISM_TYPE mechanism, CK_OBJECT_HANDLE wrapping_key,
                   const Bytes& wrapped) {
                 unwrap_secret_key(session, mechanism, wrapping_key, {spec, reference.id(), wrapped},
                                   reference.label());
               });
}

// The first error is what the caller must hear; what remains has an unfinished label.
template <typename Key>
void Replicas::withdraw_quietly(const Key& unfinished) {
  try {
    withdraw(unfinished);
  } catch (const Error&) {
    return;
  }
}

// `import_to` brings it to the others, as it is on the first one.
template <typename Key, typename ImportTo>
std::string Replicas::bring(const Key& made, const ImportTo& import_to) {
  for (std::size_t i = 1; i < stores_.size(); ++i) {
    try {
      import_to(*stores_[i].keys);
    } catch (const Error&) {
      withdraw_quietly(made);
      throw;
    }
  }
  return reference_of(made).label();
}

std::string Replicas::import(const SoftwareKey& key, KeyUse use) {
  const Entry made = stores_.front().keys->import_unfinished(key, use);
  return bring(made, [&](KeyStore& keys) {
    static_cast<void>(keys.import_unfinished(key, use, made.key.reference().label()));
  });
}

std::string Replicas::import(const SoftwareSecretKey& key) {
  const SecretKey made = stores_.front().keys->import_unfinished(key);
  return bring(made, [&](KeyStore& keys) {
    static_cast<void>(keys.import_unfinished(key, made.reference.label(), made.reference.id()));
  });
}

template <typename Key>
std::vector<Replicas::Place<Key>> Replicas::places_of(const Key& key) const {
  const std::string& label = reference_of(key).label();
  Outcome outcome;
  std::vector<Place<Key>> places;
  std::string lacking;
  for (const Store& store : stores_) {
    outcome.note(store.name, [&] {
      std::optional<Key> there = find_again(*store.keys, key);
      if (there && reference_of(*there).label() != label)
        throw Error(ErrorClass::client, "has this key under another name, " + quoted_alias(there->alias));
      if (there)
        places.push_back({&store, std::move(*there)});
      else
        lacking += (lacking.empty() ? "" : ", ") + store.name;
    });
  }
  if (!outcome.all_well()) {
    throw outcome.error("nothing was changed, since not all members can be: " + outcome.failed() +
                        "; put that right, or name a member to change it alone");
  }
  if (places.empty()) throw Error(ErrorClass::client, quoted_alias(label) + " is on no member any more");
  if (!lacking.empty() && replication_.notice)
    replication_.notice(quoted_alias(key.alias) + " is not on " + lacking);
  return places;
}

template <typename Key>
void Replicas::name(const Key& unfinished, std::string_view alias) {
  std::vector<Place<Key>> named;
  for (const Place<Key>& place : places_of(unfinished)) {
    try {
      named.push_back({place.store, place.store->keys->name(place.key, alias)});
    } catch (const Error&) {
      for (const auto& [store, key] : named) take_back(*store, key, alias);
      throw;
    }
  }
}

void Replicas::take_back(const Store& store, const auto& made, std::string_view alias) const {
  try {
    store.keys->destroy(made);
  } catch (const Error& error) {
    if (replication_.notice)
      replication_.notice(store.name + " keeps " + quoted_alias(alias) + ": " + error.what());
  }
}

template <typename Key>
void Replicas::withdraw(const Key& unfinished) {
  Outcome outcome;
  for (const Store& store : stores_) outcome.note(store.name, [&] { store.keys->withdraw(unfinished); });
  outcome.require_all("keystay -list shows what remains there, and -cleanup removes it");
}

void Replicas::remove_unfinished(const std::vector<Unfinished>& shown) {
  Outcome outcome;
  for (const Store& store : stores_) outcome.note(store.name, [&] { store.keys->remove_unfinished(shown); });
  outcome.require_all("repeat the command");
}

void Replicas::require_unused(std::string_view alias) {
  for (const Store& store : stores_) store.keys->require_unused(alias);
}

template <typename Key>
void Replicas::require_unused(std::string_view alias, const Key& own) {
  for (const Place<Key>& place : places_of(own)) place.store->keys->require_unused(alias, place.key);
}

void Replicas::replace_chain(const Entry& entry, const Chain& chain) {
  Outcome outcome;
  for (const Place<Entry>& place : places_of(entry))
    outcome.note(place.store->name, [&] { place.store->keys->replace_chain(place.key, chain); });
  outcome.require_all("repeat the command, or run keystay group sync");
}

void Replicas::add_certificate(std::string_view label, const Certificate& certificate) {
  require_unused(label);
  std::vector<const Store*> done;
  for (const Store& store : stores_) {
    try {
      store.keys->add_certificate(label, certificate);
      done.push_back(&store);
    } catch (const Error&) {
      const TrustedCertificate made{std::string(label), certificate};
      for (const Store* other : done) take_back(*other, made, label);
      throw;
    }
  }
}

template <typename Key>
void Replicas::rename(const Key& key, std::string_view alias) {
  Outcome outcome;
  for (const Place<Key>& place : places_of(key))
    outcome.note(place.store->name, [&] { place.store->keys->rename(place.key, alias); });
  outcome.require_all("give the rest this name member by member");
}

template <typename Key>
void Replicas::destroy(const Key& key) {
  Outcome outcome;
  for (const Place<Key>& place : places_of(key))
    outcome.note(place.store->name, [&] { place.store->keys->destroy(place.key); });
  outcome.require_all("repeat the command");
}

bool Replicas::destroy_leftovers(std::string_view alias) {
  bool any = false;
  for (const Store& store : stores_) any = store.keys->destroy_leftovers(alias) || any;
  return any;
}

void Replicas::destroy(const TrustedCertificate& trusted) {
  Outcome outcome;
  for (const Store& store : stores_) outcome.note(store.name, [&] { store.keys->destroy(trusted); });
  outcome.require_all("repeat the command");
}

template void Replicas::name(const Entry&, std::string_view);
template void Replicas::name(const SecretKey&, std::string_view);
template void Replicas::withdraw(const Entry&);
template void Replicas::withdraw(const SecretKey&);
template void Replicas::require_unused(std::string_view, const Entry&);
template void Replicas::require_unused(std::string_view, const SecretKey&);
template void Replicas::rename(const Entry&, std::string_view);
template void Replicas::rename(const SecretKey&, std::string_view);
template void Replicas::destroy(const Entry&);
template void Replicas::destroy(const SecretKey&);

}  // namespace keystay::keys
