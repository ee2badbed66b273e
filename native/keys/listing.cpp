#include <algorithm>
#include <tuple>
#include <utility>

#include "native/keys/alias_lookup.h"
#include "native/keys/alias_name.h"
#include "native/keys/chain.h"
#include "native/keys/entry_join.h"
#include "native/keys/listing_of_objects.h"
#include "native/keys/unfinished_label.h"
#include "native/pkcs11/text.h"
#include "native/pkcs11/unicode.h"

namespace keystay::keys {

std::vector<TrustedCertificate> trusted_among(const std::vector<CertificateObject>& certificates,
                                              const std::vector<Entry>& entries,
                                              const std::vector<SecretKey>& secret_keys) {
  PublicKeySet keys;
  for (const Entry& entry : entries) keys.insert(entry.key.public_key());
  std::vector<TrustedCertificate> trusted;
  for (const CertificateObject& object : certificates) {
    const bool imported = !object.label.empty() && !is_issuer_label(object.label);
    const auto& certified = object.certificate.public_key;
    if (imported && !(certified && keys.contains(*certified))) {
      trusted.push_back({object.label, object.certificate, object.id});
    }
  }
  name_apart(trusted, entries, secret_keys);
  return trusted;
}

std::vector<SecretKey> secret_keys_among(const std::vector<SecretKeyObject>& objects,
                                         const std::vector<Entry>& entries) {
  std::vector<SecretKey> keys;
  for (const SecretKeyObject& object : objects) {
    if (object.is_alias && !is_unfinished_label(object.key.reference.label())) keys.push_back(object.key);
  }
  name_apart(keys, entries);
  return keys;
}

Listing listing_of(std::vector<Entry> entries, const std::vector<CertificateObject>& certificates,
                   const Pkix& pkix, std::vector<SecretKey> secret_keys) {
  std::vector<Certificate> issuers;
  for (const CertificateObject& object : certificates) issuers.push_back(object.certificate);
  ChainBuilder chains(pkix, issuers_among(issuers));
  Listing listing;
  listing.trusted = trusted_among(certificates, entries, secret_keys);
  listing.secret_keys = std::move(secret_keys);
  for (Entry& entry : entries) {
    Chain chain = entry.leaf ? chains.build(*entry.leaf) : Chain{};
    listing.entries.push_back({std::move(entry), std::move(chain)});
  }
  return listing;
}

std::vector<UnreadableObject> unreadable_objects(const TokenObjects& objects) {
  const ObjectIndex index(objects);
  std::vector<UnreadableObject> unreadable = objects.unreadable_certificates;
  for (const KeyObject& key : objects.private_keys) {
    if (is_unfinished_label(key.label) || public_half(key, index)) continue;
    unreadable.push_back({CKO_PRIVATE_KEY, key.label, key.id, why_unknown(key, index)});
  }
  std::ranges::stable_sort(unreadable, {},
                           [](const UnreadableObject& object) { return std::tie(object.label, object.id); });
  return unreadable;
}

std::string name_of(const UnreadableObject& object) {
  const std::string kind = object.object_class == CKO_CERTIFICATE ? "certificate" : "key";
  if (!object.label.empty()) return kind + " \"" + pkcs11::printable(object.label) + "\"";
  return object.id.empty() ? kind + " without label and id" : kind + " with id " + pkcs11::hex(object.id);
}

pkcs11::Error unusable(const UnreadableObject& object) {
  const bool is_certificate = object.object_class == CKO_CERTIFICATE;
  const std::string name = object.label.empty() ? "the " + name_of(object)
                                                : quoted_alias(object.label) + " is a " +
                                                      (is_certificate ? "certificate" : "key") + " that";
  return {pkcs11::ErrorClass::client,
          name + (is_certificate ? " cannot be read: " : " cannot be used: ") + object.reason};
}

}  // namespace keystay::keys
