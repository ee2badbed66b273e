#include "native/keys/listing.h"

#include <map>
#include <utility>

#include "native/keys/chain.h"

namespace keystay::keys {

Listing listing_of(std::vector<Entry> entries, const std::vector<CertificateObject>& certificates,
                   const Pkix& pkix) {
  std::multimap<pkcs11::Bytes, const CertificateObject*> by_subject;
  for (const CertificateObject& object : certificates) {
    by_subject.emplace(object.certificate.subject, &object);
  }
  const IssuerSearch issuers = [&](pkcs11::ByteView subject) {
    std::vector<CertificateObject> found;
    const auto [first, last] = by_subject.equal_range(pkcs11::Bytes(subject.begin(), subject.end()));
    for (auto at = first; at != last; ++at) found.push_back(*at->second);
    return found;
  };
  Listing listing;
  PublicKeySet keys;
  for (Entry& entry : entries) {
    keys.insert(entry.key.public_key());
    Chain chain = entry.leaf ? build_chain(*entry.leaf, pkix, issuers) : Chain{};
    listing.entries.push_back({std::move(entry), std::move(chain)});
  }
  for (const CertificateObject& object : certificates) {
    const bool imported = !object.label.empty() && !is_issuer_label(object.label);
    const auto& certified = object.certificate.public_key;
    if (imported && !(certified && keys.contains(*certified))) {
      listing.trusted.push_back({object.label, object.certificate});
    }
  }
  return listing;
}

}  // namespace keystay::keys
