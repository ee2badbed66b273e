// What of Replicas is about secret keys: they come from one token to the others as private keys do, wrapped
// under the wrapping key of the source.
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/replica_change.h"
#include "native/keys/replicas.h"
#include "native/keys/secret_key_objects.h"
#include "native/keys/writing_turn.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {
namespace {

using pkcs11::Bytes;
using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;

void seal(KeyStore& keys, std::string_view label) {
  const WritingTurn turn(keys.source().info());
  keys.source().with_rw_session([&](Session& session) { seal_secret_key(session, label); });
}

}  // namespace

void Replicas::copy(const Store& from, const Store& to, const SecretKey& made,
                    const SecretKeySpec& spec) const {
  const WrappingKey& wrapping = *replication_.wrapping_key;
  const pkcs11::KeyReference& reference = made.reference;
  Bytes wrapped;
  const CK_MECHANISM_TYPE wrapped_by =
      first_that_works(mechanisms_of(wrapping), [&](CK_MECHANISM_TYPE mechanism) {
        from.keys->source().with_session([&](Session& session) {
          wrapped = session.wrap_key({mechanism, nullptr, 0}, find_wrapping_key(session, wrapping.label),
                                     find_unchanged(session, made));
        });
      });
  const WritingTurn turn(to.keys->source().info());
  first_that_works(unwrapping_mechanisms(wrapped_by), [&](CK_MECHANISM_TYPE mechanism) {
    to.keys->source().with_rw_session([&](Session& session) {
      unwrap_secret_key(session, mechanism, find_wrapping_key(session, wrapping.label),
                        {spec, reference.id(), wrapped}, reference.label());
    });
  });
}

std::string Replicas::generate(const SecretKeySpec& spec) {
  const std::vector<const Store*> ready = ready_for_new_key();
  const Store& first = *ready.front();
  if (stores_.size() == 1) return first.keys->generate_unfinished(spec).reference.label();
  const SecretKey made = first.keys->generate_unfinished(spec, Extraction::until_sealed);
  const std::string& label = made.reference.label();
  std::size_t have = 1;
  Outcome outcome;
  for (const Store* store : ready) {
    if (store == &first) continue;
    have += outcome.note(store->name, [&] { copy(first, *store, made, spec); }) ? 1 : 0;
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

std::string Replicas::import(const SoftwareSecretKey& key) {
  const SecretKey made = stores_.front().keys->import_unfinished(key);
  for (std::size_t i = 1; i < stores_.size(); ++i) {
    try {
      stores_[i].keys->import_unfinished(key, made.reference.label(), made.reference.id());
    } catch (const Error&) {
      withdraw_quietly(made);
      throw;
    }
  }
  return made.reference.label();
}

// The first error is what the caller must hear; what remains has an unfinished label.
void Replicas::withdraw_quietly(const SecretKey& unfinished) {
  try {
    withdraw(unfinished);
  } catch (const Error&) {
    return;
  }
}

std::vector<Replicas::SecretPlace> Replicas::places_of(const SecretKey& key) const {
  Outcome outcome;
  std::vector<SecretPlace> places;
  std::string lacking;
  for (const Store& store : stores_) {
    outcome.note(store.name, [&] {
      std::optional<SecretKey> there = store.keys->find_again(key);
      if (there && there->reference.label() != key.reference.label())
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
  if (places.empty())
    throw Error(ErrorClass::client, quoted_alias(key.reference.label()) + " is on no member any more");
  if (!lacking.empty() && replication_.notice)
    replication_.notice(quoted_alias(key.alias) + " is not on " + lacking);
  return places;
}

void Replicas::name(const SecretKey& unfinished, std::string_view alias) {
  for (const SecretPlace& place : places_of(unfinished)) place.store->keys->name(place.key, alias);
}

void Replicas::withdraw(const SecretKey& unfinished) {
  Outcome outcome;
  for (const Store& store : stores_) outcome.note(store.name, [&] { store.keys->withdraw(unfinished); });
  outcome.require_all("keystay -list shows what remains there, and -cleanup removes it");
}

void Replicas::require_unused(std::string_view alias, const SecretKey& own) {
  for (const SecretPlace& place : places_of(own)) place.store->keys->require_unused(alias, place.key);
}

void Replicas::rename(const SecretKey& key, std::string_view alias) {
  Outcome outcome;
  for (const SecretPlace& place : places_of(key))
    outcome.note(place.store->name, [&] { place.store->keys->rename(place.key, alias); });
  outcome.require_all("give the rest this name member by member");
}

void Replicas::destroy(const SecretKey& key) {
  Outcome outcome;
  for (const SecretPlace& place : places_of(key))
    outcome.note(place.store->name, [&] { place.store->keys->destroy(place.key); });
  outcome.require_all("repeat the command");
}

}  // namespace keystay::keys
