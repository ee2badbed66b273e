// What of KeyStore is about secret keys.
#include <utility>

#include "native/keys/alias_name.h"
#include "native/keys/key_store.h"
#include "native/keys/listing_of_objects.h"
#include "native/keys/name_holders.h"
#include "native/keys/replicas.h"
#include "native/keys/secret_key_objects.h"
#include "native/keys/stored_object.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;

// Also one that is unfinished, which is no alias.
std::optional<SecretKey> KeyStore::find_secret(std::string_view label) {
  std::optional<SecretKey> found;
  source_->search([&](Session& session) {
    found.reset();
    std::vector<SecretKeyObject> keys = read_secret_keys(session, label);
    if (keys.size() > 1)
      throw Error(ErrorClass::client, "several secret keys have the label \"" + std::string(label) + "\"");
    if (keys.empty()) return false;
    found = std::move(keys.front().key);
    return true;
  });
  return found;
}

SecretKey KeyStore::find_made_secret(const std::string& label) {
  if (std::optional<SecretKey> key = find_secret(label)) return std::move(*key);
  throw Error(ErrorClass::server, "the secret key is not on " + source_->name() + " after it was made");
}

SecretKey KeyStore::generate_unfinished(const SecretKeySpec& spec, Extraction extraction) {
  if (replicas_) return find_made_secret(replicas_->generate(spec));
  const std::string label = unfinished_label();
  const pkcs11::Bytes id = random_id();
  write([&](Session& session) { generate_secret_key(session, spec, extraction, label, id); });
  return find_made_secret(label);
}

SecretKey KeyStore::import_unfinished(const SoftwareSecretKey& key, std::string_view label,
                                      pkcs11::ByteView id) {
  if (replicas_) return find_made_secret(replicas_->import(key));
  const std::string unfinished = label.empty() ? unfinished_label() : std::string(label);
  const pkcs11::Bytes own_id = id.empty() ? random_id() : pkcs11::Bytes(id.begin(), id.end());
  write([&](Session& session) { import_secret_key(session, key, unfinished, own_id); });
  return find_made_secret(unfinished);
}

SecretKey KeyStore::name(const SecretKey& unfinished, std::string_view alias) {
  if (replicas_)
    replicas_->name(unfinished, alias);
  else
    write([&](Session& session) { name_secret_key(session, pkix_, unfinished, alias); });
  if (std::optional<SecretKey> named = find_again(unfinished)) return std::move(*named);
  throw Error(ErrorClass::server, quoted_alias(alias) + " is not there after it was made");
}

void KeyStore::withdraw(const SecretKey& unfinished) {
  if (replicas_) return replicas_->withdraw(unfinished);
  write([&](Session& session) { destroy_secret_key(session, unfinished); });
  source_->renew_sessions();
}

std::optional<SecretKey> KeyStore::find_again(const SecretKey& key) {
  std::optional<SecretKey> found;
  source_->search([&](Session& session) {
    found.reset();
    require_view(session);
    for (SecretKeyObject& object : read_secret_keys(session)) {
      const pkcs11::KeyReference& other = object.key.reference;
      const bool is_it = key.reference.id().empty() ? other.label() == key.reference.label()
                                                    : other.id() == key.reference.id();
      if (!is_it || other.type() != key.reference.type()) continue;
      if (found) throw Error(ErrorClass::client, "several secret keys match " + key.reference.name());
      found = std::move(object.key);
    }
    return found.has_value();
  });
  return found;
}

void KeyStore::require_unused(std::string_view alias, const SecretKey& own) {
  if (replicas_) return replicas_->require_unused(alias, own);
  source_->with_rw_session([&](Session& session) {
    keys::require_unused(session, pkix_, alias, {.secret_key = find_unchanged(session, own)});
  });
}

void KeyStore::rename(const SecretKey& key, std::string_view alias) {
  if (key.reference.label() == alias)
    throw Error(ErrorClass::client, quoted_alias(alias) + " has this name already");
  if (replicas_) return replicas_->rename(key, alias);
  write([&](Session& session) { name_secret_key(session, pkix_, key, alias); });
}

void KeyStore::destroy(const SecretKey& key) {
  if (replicas_) return replicas_->destroy(key);
  bool is_destroyed = false;  // in an earlier try
  write([&](Session& session) {
    if (!is_destroyed) session.destroy_object(find_unchanged(session, key));
    is_destroyed = true;
  });
  source_->renew_sessions();  // sessions may hold copies of the key
}

}  // namespace keystay::keys
