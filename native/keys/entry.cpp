#include "native/keys/entry.h"

#include <utility>

#include "native/keys/chain.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

// How closely a certificate that fits the key is joined to it: the smaller, the closer.
int distance(const CertificateObject& certificate, const KeyObject& key) {
  if (is_issuer_label(certificate.label)) return 3;  // there for the chains of others
  if (!key.id.empty() && certificate.id == key.id) return 0;
  return certificate.label == key.label ? 1 : 2;
}

// In the public key object with its CKA_ID.
std::optional<pkcs11::PublicKey> published_half(const KeyObject& key, const ObjectIndex& objects) {
  for (const KeyObject* candidate : objects.public_keys_with(key.id)) {
    if (candidate->type == key.type && candidate->public_key) return candidate->public_key;
  }
  return std::nullopt;
}

// In the certificate with its CKA_ID.
std::optional<pkcs11::PublicKey> certified_half(const KeyObject& key, const ObjectIndex& objects) {
  for (const CertificateObject* candidate : objects.certificates_with(key.id)) {
    const std::optional<pkcs11::PublicKey>& certified = candidate->certificate.public_key;
    if (certified && pkcs11::key_type(*certified) == key.type) return certified;
  }
  return std::nullopt;
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

bool valid_now(const Certificate& certificate) {
  const auto now = std::chrono::system_clock::now();
  return certificate.not_before <= now && now <= certificate.not_after;
}

bool preferred(const Certificate& a, const Certificate& b) {
  if (valid_now(a) != valid_now(b)) return valid_now(a);
  return a.not_before > b.not_before;
}

std::optional<PublicHalf> public_half(const KeyObject& key, const ObjectIndex& objects) {
  if (key.public_key) return shown_by(PublicHalfSource::token, key.public_key);
  if (key.id.empty()) return shown_by(PublicHalfSource::label, labelled_half(key, objects));
  if (auto half = shown_by(PublicHalfSource::token, published_half(key, objects))) return half;
  return shown_by(PublicHalfSource::certificate, certified_half(key, objects));
}

std::string why_unknown(const KeyObject& key, const ObjectIndex& objects) {
  for (const KeyObject* published : objects.public_keys_with(key.id)) {
    const bool its_own = !key.id.empty() || published->label == key.label;
    if (its_own && !published->fault.empty()) return "of its public key object, " + published->fault;
  }
  if (!key.fault.empty()) return key.fault;
  return "it has neither a public key object nor a certificate with its CKA_ID on the token; store one";
}

const CertificateObject* leaf_of(const KeyObject& key, const pkcs11::PublicKey& public_key,
                                 const ObjectIndex& objects) {
  const CertificateObject* leaf = nullptr;
  for (const CertificateObject* candidate : objects.certificates_of(public_key)) {
    const bool better = !leaf || distance(*candidate, key) < distance(*leaf, key) ||
                        (distance(*candidate, key) == distance(*leaf, key) &&
                         preferred(candidate->certificate, leaf->certificate));
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

std::string id_alias(pkcs11::ByteView id) { return std::string(kIdPrefix) + pkcs11::hex(id); }

}  // namespace keystay::keys
