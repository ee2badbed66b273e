#include "native/keys/issuers.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "native/keys/chain.h"
#include "native/keys/name.h"
#include "native/keys/stored_object.h"
#include "native/keys/token_objects.h"

namespace keystay::keys {
namespace {

using pkcs11::Session;

IssuerSearch among(const std::vector<CertificateObject>& objects) {
  std::vector<Certificate> certificates;
  for (const CertificateObject& object : objects) certificates.push_back(object.certificate);
  return issuers_among(certificates);
}

// By its CKA_ISSUER, which may be empty (PKCS #11 v3.0, section 4.6.3): then the certificate is read.
bool may_have_issuer(Session& session, CK_OBJECT_HANDLE certificate, const pkcs11::Bytes& canonical) {
  constexpr CK_ATTRIBUTE_TYPE kIssuer[] = {CKA_ISSUER};
  const pkcs11::Bytes issuer = session.attributes(certificate, kIssuer).bytes(CKA_ISSUER);
  return issuer.empty() || canonical_name(issuer) == canonical;
}

// The certificates (DER) of the chains of these entries.
std::set<pkcs11::Bytes> needed_by(const std::vector<Entry>& entries, const Pkix& pkix,
                                  const std::vector<CertificateObject>& certificates) {
  ChainBuilder chains(pkix, among(certificates));
  std::set<pkcs11::Bytes> needed;
  for (const Entry& entry : entries) {
    if (!entry.leaf) continue;
    for (Certificate& certificate : chains.build(*entry.leaf)) {
      needed.insert(std::move(certificate.der));
    }
  }
  return needed;
}

// Another object of the same certificate, under whatever name: chains are built with that one then.
bool has_another(Session& session, const CertificateObject& object) {
  pkcs11::Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_VALUE, object.certificate.der);
  return std::ranges::any_of(session.find_token_objects(std::move(search)),
                             [&](CK_OBJECT_HANDLE other) { return other != object.handle; });
}

}  // namespace

bool has_other_issuers(Session& session, const Pkix& pkix, const Chain& chain) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  std::vector<std::string> labels;
  for (const Certificate& certificate : chain) {
    if (certificate.public_key) labels.push_back(issuer_label(pkix.key_identifier(*certificate.public_key)));
  }
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(objects_of(CKO_CERTIFICATE))) {
    const std::string label = session.attributes(handle, kLabel).text(CKA_LABEL);
    if (is_issuer_label(label) && std::find(labels.begin(), labels.end(), label) == labels.end()) return true;
  }
  return false;
}

bool may_be_an_issuer(Session& session, const Pkix& pkix, const Certificate& certificate) {
  const auto is_of_another_key = [&](const CertificateObject& object) {
    return object.certificate.public_key != certificate.public_key;
  };
  pkcs11::Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_ISSUER, certificate.subject);
  if (std::ranges::any_of(read_certificates(session, pkix, std::move(search)), is_of_another_key))
    return true;
  if (!certificate.is_ca) return false;
  const pkcs11::Bytes name = canonical_name(certificate.subject);
  return std::ranges::any_of(session.find_token_objects(objects_of(CKO_CERTIFICATE)), [&](auto handle) {
    if (!may_have_issuer(session, handle, name)) return false;
    const auto object = read_certificate(session, pkix, handle);
    return object && canonical_name(object->certificate.issuer) == name && is_of_another_key(*object);
  });
}

bool name_issuer(Session& session, const Certificate& certificate, std::string_view name) {
  constexpr CK_ATTRIBUTE_TYPE kLabel[] = {CKA_LABEL};
  pkcs11::Template search = objects_of(CKO_CERTIFICATE);
  search.bytes(CKA_VALUE, certificate.der);
  std::vector<CK_OBJECT_HANDLE> issuers;
  for (const CK_OBJECT_HANDLE object : session.find_token_objects(std::move(search))) {
    const std::string label = session.attributes(object, kLabel).text(CKA_LABEL);
    if (is_issuer_label(label)) issuers.push_back(object);
  }
  for (const CK_OBJECT_HANDLE object : issuers) store_label(session, object, name);
  return !issuers.empty();
}

void retire(Session& session, const Pkix& pkix, const std::vector<CertificateObject>& retired,
            const std::vector<Entry>& staying) {
  std::set<pkcs11::Bytes> needed;
  if (!retired.empty() && !staying.empty()) {
    needed = needed_by(staying, pkix, read_certificates(session, pkix, objects_of(CKO_CERTIFICATE)));
  }
  for (const CertificateObject& object : retired) {
    if (!needed.contains(object.certificate.der) || has_another(session, object)) {
      destroy_if_there(session, object.handle);
    } else if (!is_issuer_label(object.label)) {
      const auto& key = object.certificate.public_key;
      const std::string label = issuer_label(key ? pkix.key_identifier(*key) : object.id);
      store_label(session, object.handle, label);
    }
  }
}

std::vector<const CertificateObject*> unneeded_issuers(const std::vector<CertificateObject>& certificates,
                                                       const std::vector<Chain>& chains) {
  std::vector<const CertificateObject*> unneeded;
  for (const CertificateObject& object : certificates) {
    if (is_issuer_label(object.label)) unneeded.push_back(&object);
  }
  if (unneeded.empty()) return unneeded;
  std::set<pkcs11::Bytes> needed;
  for (const Chain& chain : chains) {
    for (const Certificate& certificate : chain) needed.insert(certificate.der);
  }
  std::erase_if(unneeded,
                [&](const CertificateObject* object) { return needed.contains(object->certificate.der); });
  return unneeded;
}

void destroy_unneeded_issuers(Session& session, const Pkix& pkix, const std::vector<Entry>& entries) {
  const auto certificates = read_certificates(session, pkix, objects_of(CKO_CERTIFICATE));
  ChainBuilder builder(pkix, among(certificates));
  std::vector<Chain> chains;
  for (const Entry& entry : entries) {
    if (entry.leaf) chains.push_back(builder.build(*entry.leaf));
  }
  for (const CertificateObject* object : unneeded_issuers(certificates, chains))
    destroy_if_there(session, object->handle);
}

}  // namespace keystay::keys
