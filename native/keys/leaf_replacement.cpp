#include "native/keys/leaf_replacement.h"

#include <algorithm>
#include <string>
#include <vector>

#include "native/keys/chain.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/error.h"
#include "native/pkcs11/key_search.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using pkcs11::ErrorClass;
using pkcs11::Session;
using pkcs11::Template;

// How often issuers are written again that another program has removed together with an alias of its own.
constexpr int kAttempts = 3;

// The key's own label; where it has none, that of the certificate which stands for it.
std::string certificate_label(const Entry& entry) {
  const pkcs11::KeyReference& key = entry.key.reference();
  return key.label().empty() && entry.name() != id_alias(key.id()) ? entry.name() : key.label();
}

bool belongs_to(const CertificateObject& object, const Entry& entry) {
  return object.certificate.public_key == entry.key.public_key() &&
         (object.id == entry.key.reference().id() || object.label == entry.name());
}

// What may be the leaf of an entry: two searches, whatever else is on the token.
std::vector<CertificateObject> read_leaves(Session& session, const Pkix& pkix, const Entry& entry) {
  Template by_label = objects_of(CKO_CERTIFICATE);
  by_label.text(CKA_LABEL, entry.name());
  std::vector<CertificateObject> leaves = read_certificates(session, pkix, std::move(by_label));
  if (const pkcs11::Bytes& id = entry.key.reference().id(); !id.empty()) {
    Template by_id = objects_of(CKO_CERTIFICATE);
    by_id.bytes(CKA_ID, id);
    for (CertificateObject& object : read_certificates(session, pkix, std::move(by_id))) {
      if (object.label != entry.name()) leaves.push_back(std::move(object));
    }
  }
  std::erase_if(leaves, [&](const CertificateObject& object) { return !belongs_to(object, entry); });
  return leaves;
}

bool on_token(Session& session, const Certificate& certificate) {
  Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_VALUE, certificate.der);
  return !session.find_token_objects(std::move(search)).empty();
}

// Returns whether there was something to write.
bool store_issuers(Session& session, const Pkix& pkix, const Chain& chain) {
  bool any = false;
  for (auto issuer = chain.begin() + 1; issuer != chain.end(); ++issuer) {
    if (on_token(session, *issuer) || !issuer->public_key) continue;
    const pkcs11::Bytes id = pkix.key_identifier(*issuer->public_key);
    store_certificate(session, issuer_label(id), id, *issuer);
    any = true;
  }
  return any;
}

}  // namespace

std::set<pkcs11::Bytes> leaves_of(Session& session, const Pkix& pkix, const Entry& entry) {
  std::set<pkcs11::Bytes> leaves;
  for (CertificateObject& object : read_leaves(session, pkix, entry))
    leaves.insert(std::move(object.certificate.der));
  return leaves;
}

std::vector<CertificateObject> replace_leaf(Session& session, const Pkix& pkix, const Entry& entry,
                                            const Chain& chain, const std::set<pkcs11::Bytes>& old) {
  store_issuers(session, pkix, chain);
  const pkcs11::Bytes& leaf = chain.front().der;
  const auto stored = read_leaves(session, pkix, entry);
  const auto is_leaf = [&](const CertificateObject& object) { return object.certificate.der == leaf; };
  if (std::ranges::none_of(stored, is_leaf)) {
    MadeObjects made(session);
    made.add(store_certificate(session, certificate_label(entry), entry.key.reference().id(), chain.front()));
    // Whoever destroyed it since it was read did not see this certificate.
    static_cast<void>(pkcs11::find_private_key(session, entry.key.reference()));
    made.keep();
  }
  for (int attempt = 0; attempt < kAttempts && store_issuers(session, pkix, chain); ++attempt) {
  }
  std::vector<CertificateObject> replaced;
  for (const CertificateObject& object : stored) {
    if (!is_leaf(object) && old.contains(object.certificate.der)) replaced.push_back(object);
  }
  return replaced;
}

}  // namespace keystay::keys
