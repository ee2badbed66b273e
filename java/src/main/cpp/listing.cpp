#include "java/src/main/cpp/listing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "native/keys/chain.h"

namespace keystay::jni {
namespace {

std::vector<keys::CertificateObject> all_certificates(keys::KeyStore& store, const keys::Pkix& pkix) {
  std::vector<keys::CertificateObject> certificates;
  store.token().with_session([&](pkcs11::Session& session) {
    certificates = keys::read_certificates(session, pkix, keys::token_objects(CKO_CERTIFICATE));
  });
  return certificates;
}

bool belongs_to_a_key(const keys::CertificateObject& object, const std::vector<ListedEntry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [&](const ListedEntry& listed) {
    return object.certificate.public_key == listed.entry.key.public_key();
  });
}

}  // namespace

Listing list(keys::KeyStore& store, const keys::Pkix& pkix) {
  Listing listing;
  std::vector<keys::Entry> entries = store.entries();
  const std::vector<keys::CertificateObject> certificates = all_certificates(store, pkix);
  std::multimap<pkcs11::Bytes, const keys::CertificateObject*> by_subject;
  for (const keys::CertificateObject& object : certificates) {
    by_subject.emplace(object.certificate.subject, &object);
  }
  const keys::IssuerSearch issuers = [&](pkcs11::ByteView subject) {
    std::vector<keys::CertificateObject> found;
    const auto [first, last] = by_subject.equal_range(pkcs11::Bytes(subject.begin(), subject.end()));
    for (auto at = first; at != last; ++at) found.push_back(*at->second);
    return found;
  };
  for (keys::Entry& entry : entries) {
    keys::Chain chain = entry.leaf ? keys::build_chain(*entry.leaf, pkix, issuers) : keys::Chain{};
    listing.entries.push_back({std::move(entry), std::move(chain)});
  }
  for (const keys::CertificateObject& object : certificates) {
    const bool imported = !object.label.empty() && !keys::is_issuer_label(object.label);
    if (imported && !belongs_to_a_key(object, listing.entries)) {
      listing.trusted.push_back({object.label, object.certificate});
    }
  }
  return listing;
}

bool has_certificate(keys::KeyStore& store, std::string_view label) {
  bool any = false;
  store.token().with_session([&](pkcs11::Session& session) {
    pkcs11::Template search = keys::token_objects(CKO_CERTIFICATE);
    search.text(CKA_LABEL, label);
    any = !session.find_objects(std::move(search)).empty();
  });
  return any;
}

}  // namespace keystay::jni
