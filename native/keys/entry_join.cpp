#include "native/keys/entry_join.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "native/keys/chain.h"
#include "native/pkcs11/shared_id.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

// How closely a certificate that fits the key is joined to it: the smaller, the closer.
int distance(const CertificateObject& certificate, const KeyObject& key) {
  if (is_issuer_label(certificate.label)) return 3;  // there for the chains of others
  if (!key.id.empty() && certificate.id == key.id) return 0;
  return certificate.label == key.label ? 1 : 2;
}

// The private keys of its CKA_ID and type, and itself, that do not state a public half.
std::vector<const KeyObject*> sharing_id(const KeyObject& key, const ObjectIndex& objects) {
  std::vector<const KeyObject*> keys;
  for (const KeyObject* other : objects.private_keys_with(key.id)) {
    if (other->type == key.type && !other->public_key) keys.push_back(other);
  }
  return keys;
}

// In public key objects with its CKA_ID.
pkcs11::SharedHalves published_halves(const KeyObject& key, const ObjectIndex& objects) {
  std::vector<pkcs11::ShownHalf> shown;
  for (const KeyObject* candidate : objects.public_keys_with(key.id)) {
    if (candidate->type == key.type && candidate->public_key)
      shown.push_back({candidate->label, &*candidate->public_key});
  }
  return halves_shown_for(key, sharing_id(key, objects), shown);
}

// In certificates with its CKA_ID, for keys that have no public key object.
pkcs11::SharedHalves certified_halves(const KeyObject& key, const ObjectIndex& objects) {
  std::vector<const KeyObject*> sharing = sharing_id(key, objects);
  std::vector<pkcs11::PublicKey> published;
  std::erase_if(sharing, [&](const KeyObject* other) {
    const pkcs11::SharedHalves halves = published_halves(*other, objects);
    published.insert(published.end(), halves.keys.begin(), halves.keys.end());
    return !halves.keys.empty();
  });
  std::vector<pkcs11::ShownHalf> shown;
  for (const CertificateObject* candidate : objects.certificates_with(key.id)) {
    const std::optional<pkcs11::PublicKey>& certified = candidate->certificate.public_key;
    if (!certified || pkcs11::key_type(*certified) != key.type) continue;
    if (std::ranges::find(published, *certified) == published.end())
      shown.push_back({candidate->label, &*certified});
  }
  return halves_shown_for(key, sharing, shown);
}

// Nothing if it is ambiguous which of several is the key's, or which of several keys one belongs to. Copies
// of one key have one public half, shown once for each.
std::optional<pkcs11::PublicKey> only_half(pkcs11::SharedHalves halves) {
  if (halves.keys.size() != 1 || halves.claimants > halves.objects) return std::nullopt;
  return std::move(halves.keys.front());
}

// In the public key object that was stored as this key was: without a CKA_ID, and with its label.
std::optional<pkcs11::PublicKey> labelled_half(const KeyObject& key, const ObjectIndex& objects) {
  const KeyObject* only = nullptr;
  for (const KeyObject* candidate : objects.public_keys_with({})) {
    if (candidate->label != key.label || candidate->type != key.type) continue;
    if (only) return std::nullopt;
    only = candidate;
  }
  return only ? only->public_key : std::nullopt;
}

// Why the objects with its CKA_ID are ambiguous; empty if they are not.
std::string why_ambiguous(const KeyObject& key, const ObjectIndex& objects) {
  if (key.id.empty()) return {};
  pkcs11::SharedHalves halves = published_halves(key, objects);
  if (halves.keys.empty()) halves = certified_halves(key, objects);
  if (halves.keys.empty()) return {};
  const std::vector<const KeyObject*> sharing = sharing_id(key, objects);
  if (sharing.size() < 2) return "several public keys have its CKA_ID; destroy those that are not its own";
  std::string labels;
  for (const KeyObject* other : sharing) labels += (labels.empty() ? "\"" : ", \"") + other->label + "\"";
  return "several private keys have its CKA_ID (" + labels +
         "), and no label tells which public key is whose; give each pair a CKA_ID of its own with "
         "pkcs11-tool --set-id";
}

// A token answers nothing for a value that is longer than the place for it, as for one that is not there.
std::string missing_attribute(std::string_view name) {
  return "its " + std::string(name) + " is not there, is empty, or is longer than any key's";
}

std::optional<PublicHalf> shown_by(PublicHalfSource source, std::optional<pkcs11::PublicKey> key) {
  if (!key) return std::nullopt;
  return PublicHalf{std::move(*key), source};
}

// Tools of NSS give the certificate a name, and the key none.
std::string alias_of(const KeyObject& key, const CertificateObject* leaf) {
  if (!key.label.empty()) return key.label;
  return leaf && !leaf->label.empty() && !is_issuer_label(leaf->label) ? leaf->label : id_alias(key.id);
}

}  // namespace

std::optional<PublicHalf> public_half(const KeyObject& key, const ObjectIndex& objects) {
  if (key.public_key) return shown_by(PublicHalfSource::token, key.public_key);
  if (key.id.empty()) return shown_by(PublicHalfSource::label, labelled_half(key, objects));
  if (pkcs11::SharedHalves published = published_halves(key, objects); !published.keys.empty())
    return shown_by(PublicHalfSource::token, only_half(std::move(published)));
  pkcs11::SharedHalves certified = certified_halves(key, objects);
  certified.objects = certified.keys.size();  // one key has many certificates
  return shown_by(PublicHalfSource::certificate, only_half(std::move(certified)));
}

std::string fault_of_public(const KeyObject& object) {
  if (!object.fault.empty()) return object.fault;
  return missing_attribute(object.type == CKK_RSA ? "CKA_MODULUS" : "CKA_EC_PARAMS or CKA_EC_POINT");
}

std::string why_unknown(const KeyObject& key, const ObjectIndex& objects) {
  if (std::string why = why_ambiguous(key, objects); !why.empty()) return why;
  for (const KeyObject* published : objects.public_keys_with(key.id)) {
    const bool its_own = !key.id.empty() || published->label == key.label;
    if (its_own && !published->public_key) return "of its public key object, " + fault_of_public(*published);
  }
  if (!key.fault.empty()) return key.fault;
  if (!key.id.empty() && !objects.certificates_with(key.id).empty())
    return std::string("the certificate with its CKA_ID has ") + kForeignKey;
  return "it has neither a public key object nor a certificate with its CKA_ID on the token; store one";
}

const CertificateObject* leaf_of(const KeyObject& key, const pkcs11::PublicKey& public_key,
                                 const ObjectIndex& objects) {
  const CertificateObject* leaf = nullptr;
  for (const CertificateObject* candidate : objects.certificates_of(public_key)) {
    const bool better = !leaf || distance(*candidate, key) < distance(*leaf, key) ||
                        (distance(*candidate, key) == distance(*leaf, key) &&
                         preferred_leaf(candidate->certificate, leaf->certificate));
    if (better) leaf = candidate;
  }
  return leaf;
}

std::optional<Entry> join(const KeyObject& key, const ObjectIndex& objects,
                          std::shared_ptr<pkcs11::KeyOperations> operations) {
  std::optional<PublicHalf> half = public_half(key, objects);
  if (!half) return std::nullopt;
  const CertificateObject* leaf = leaf_of(key, half->key, objects);
  Entry entry{alias_of(key, leaf),
              PrivateKey(std::move(operations),
                         pkcs11::KeyReference(key.id, key.label, key.type, std::move(half->key))),
              std::nullopt, key.allowed_mechanisms, half->source};
  if (leaf) entry.leaf = leaf->certificate;
  return entry;
}

}  // namespace keystay::keys
