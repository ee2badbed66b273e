#include "native/keys/entry.h"

#include <utility>

#include "native/keys/chain.h"
#include "native/pkcs11/text.h"

namespace keystay::keys {
namespace {

bool valid_now(const Certificate& certificate) {
  const auto now = std::chrono::system_clock::now();
  return certificate.not_before <= now && now <= certificate.not_after;
}

// How closely a certificate that fits the key is joined to it: the smaller, the closer.
int distance(const CertificateObject& certificate, const KeyObject& key) {
  if (!key.id.empty() && certificate.id == key.id) return 0;
  return certificate.label == key.label ? 1 : 2;
}

// On the private key object itself, or on the public key object with its CKA_ID.
std::optional<pkcs11::PublicKey> public_half_on_token(const KeyObject& key, const ObjectIndex& objects) {
  if (key.public_key || key.id.empty()) return key.public_key;
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

// Tools of NSS give the certificate a name, and the key none.
std::string alias_of(const KeyObject& key, const CertificateObject* leaf) {
  if (!key.label.empty()) return key.label;
  return leaf && !leaf->label.empty() && !is_issuer_label(leaf->label) ? leaf->label : id_alias(key.id);
}

}  // namespace

bool preferred(const Certificate& a, const Certificate& b) {
  if (valid_now(a) != valid_now(b)) return valid_now(a);
  return a.not_before > b.not_before;
}

std::optional<pkcs11::PublicKey> public_half(const KeyObject& key, const ObjectIndex& objects) {
  std::optional<pkcs11::PublicKey> shown = public_half_on_token(key, objects);
  return shown || key.id.empty() ? shown : certified_half(key, objects);
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
  std::optional<pkcs11::PublicKey> public_key = public_half(key, objects);
  if (!public_key) return std::nullopt;
  const auto source =
      public_half_on_token(key, objects) ? PublicHalfSource::token : PublicHalfSource::certificate;
  const CertificateObject* leaf = leaf_of(key, *public_key, objects);
  Entry entry{alias_of(key, leaf),
              PrivateKey(std::move(operations),
                         pkcs11::KeyReference(key.id, key.label, key.type, std::move(public_key))),
              std::nullopt, key.allowed_mechanisms, source};
  if (leaf) entry.leaf = leaf->certificate;
  return entry;
}

std::string id_alias(pkcs11::ByteView id) { return "id:" + pkcs11::hex(id); }

}  // namespace keystay::keys
