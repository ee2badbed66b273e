#include "native/keys/replicas.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/key_pair.h"
#include "native/keys/replica_change.h"
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

Bytes wrap_private_key(Session& session, CK_MECHANISM_TYPE mechanism, std::string_view wrapping_key,
                       std::string_view unfinished) {
  Template search = objects_of(CKO_PRIVATE_KEY);
  search.text(CKA_LABEL, unfinished);
  const auto keys = session.find_token_objects(std::move(search));
  if (keys.size() != 1) throw Error(ErrorClass::server, "the new private key is not there any more");
  return session.wrap_key({mechanism, nullptr, 0}, find_wrapping_key(session, wrapping_key), keys.front());
}

void seal(KeyStore& keys, std::string_view label) {
  const WritingTurn turn(keys.source().info());
  keys.source().with_rw_session([&](Session& session) { seal_private_key(session, label); });
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

void Replicas::copy(const Store& from, const Store& to, const Entry& made, KeyUse use) const {
  const WrappingKey& wrapping = *replication_.wrapping_key;
  const pkcs11::KeyReference& reference = made.key.reference();
  Bytes wrapped;
  const CK_MECHANISM_TYPE wrapped_by =
      first_that_works(mechanisms_of(wrapping), [&](CK_MECHANISM_TYPE mechanism) {
        from.keys->source().with_session([&](Session& session) {
          wrapped = wrap_private_key(session, mechanism, wrapping.label, reference.label());
        });
      });
  const WritingTurn turn(to.keys->source().info());
  first_that_works(unwrapping_mechanisms(wrapped_by), [&](CK_MECHANISM_TYPE mechanism) {
    to.keys->source().with_rw_session([&](Session& session) {
      unwrap_key_pair(session, mechanism, find_wrapping_key(session, wrapping.label),
                      {made.key.public_key(), use, reference.id(), wrapped}, reference.label());
    });
  });
}

std::string Replicas::generate(const KeyRequest& request) {
  const std::vector<const Store*> ready = ready_for_new_key();
  const Store& first = *ready.front();
  if (stores_.size() == 1) return first.keys->generate_unfinished(request).key.reference().label();
  KeyRequest open = request;
  open.extraction = Extraction::until_sealed;
  const Entry made = first.keys->generate_unfinished(open);
  const std::string& label = made.key.reference().label();
  std::size_t have = 1;
  Outcome outcome;
  for (const Store* store : ready) {
    if (store == &first) continue;
    have += outcome.note(store->name, [&] { copy(first, *store, made, request.use); }) ? 1 : 0;
  }
  const bool is_sealed = outcome.note(first.name, [&] { seal(*first.keys, label); });
  if (is_sealed && have >= replication_.create_minimum) {
    if (!outcome.all_well() && replication_.notice)
      replication_.notice("the new key is not on all members: " + outcome.failed());
    return label;
  }
  withdraw_quietly(made);
  throw outcome.error("no key was made: " + outcome.failed() + (outcome.was_refused() ? kOtherWays : ""));
}

// The first error is what the caller must hear; what remains has an unfinished label.
void Replicas::withdraw_quietly(const Entry& unfinished) {
  try {
    withdraw(unfinished);
  } catch (const Error&) {
    return;
  }
}

std::string Replicas::import(const SoftwareKey& key, KeyUse use) {
  const Entry made = stores_.front().keys->import_unfinished(key, use);
  const std::string& label = made.key.reference().label();
  for (std::size_t i = 1; i < stores_.size(); ++i) {
    try {
      stores_[i].keys->import_unfinished(key, use, label);
    } catch (const Error&) {
      withdraw_quietly(made);
      throw;
    }
  }
  return label;
}

std::vector<Replicas::Place> Replicas::places_of(const Entry& entry) const {
  const pkcs11::KeyReference& reference = entry.key.reference();
  Outcome outcome;
  std::vector<Place> places;
  std::string lacking;
  for (const Store& store : stores_) {
    outcome.note(store.name, [&] {
      std::optional<Entry> there = store.keys->find_again(reference);
      if (there && there->key.reference().label() != reference.label()) {
        throw Error(ErrorClass::client, "has this key under another name, " + quoted_alias(there->alias));
      }
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
  if (places.empty())
    throw Error(ErrorClass::client, quoted_alias(reference.label()) + " is on no member any more");
  if (!lacking.empty() && replication_.notice)
    replication_.notice(quoted_alias(entry.alias) + " is not on " + lacking);
  return places;
}

void Replicas::name(const Entry& unfinished, std::string_view alias) {
  const std::vector<Place> places = places_of(unfinished);
  std::vector<std::pair<const Store*, Entry>> named;
  for (const Place& place : places) {
    try {
      named.emplace_back(place.store, place.store->keys->name(place.entry, alias));
    } catch (const Error&) {
      for (const auto& [store, entry] : named) take_back(*store, entry, alias);
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

void Replicas::withdraw(const Entry& unfinished) {
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

void Replicas::require_unused(std::string_view alias, const Entry& own) {
  for (const Place& place : places_of(own)) place.store->keys->require_unused(alias, place.entry);
}

void Replicas::replace_chain(const Entry& entry, const Chain& chain) {
  Outcome outcome;
  for (const Place& place : places_of(entry))
    outcome.note(place.store->name, [&] { place.store->keys->replace_chain(place.entry, chain); });
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

void Replicas::rename(const Entry& entry, std::string_view alias) {
  Outcome outcome;
  for (const Place& place : places_of(entry))
    outcome.note(place.store->name, [&] { place.store->keys->rename(place.entry, alias); });
  outcome.require_all("give the rest this name member by member");
}

void Replicas::destroy(const Entry& entry) {
  Outcome outcome;
  for (const Place& place : places_of(entry))
    outcome.note(place.store->name, [&] { place.store->keys->destroy(place.entry); });
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

}  // namespace keystay::keys
