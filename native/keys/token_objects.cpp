#include "native/keys/token_objects.h"

#include <utility>

namespace keystay::keys {
namespace {

using pkcs11::Attributes;
using pkcs11::Session;
using pkcs11::Template;

constexpr CK_ATTRIBUTE_TYPE kCertificateAttributes[] = {CKA_CERTIFICATE_TYPE, CKA_ID, CKA_LABEL, CKA_VALUE};

std::optional<CertificateObject> read_certificate(Session& session, const Pkix& pkix,
                                                  CK_OBJECT_HANDLE handle) {
  const Attributes attributes = session.attributes(handle, kCertificateAttributes);
  if (attributes.number(CKA_CERTIFICATE_TYPE) != CKC_X_509) return std::nullopt;
  std::optional<Certificate> certificate = pkix.decode(attributes.bytes(CKA_VALUE));
  if (!certificate) return std::nullopt;
  return CertificateObject{handle, attributes.bytes(CKA_ID), attributes.text(CKA_LABEL),
                           std::move(*certificate)};
}

}  // namespace

Template objects_of(CK_OBJECT_CLASS object_class) {
  Template search;
  search.number(CKA_CLASS, object_class);
  return search;
}

std::vector<CertificateObject> read_certificates(Session& session, const Pkix& pkix, Template search) {
  std::vector<CertificateObject> certificates;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(std::move(search))) {
    if (auto certificate = read_certificate(session, pkix, handle))
      certificates.push_back(std::move(*certificate));
  }
  return certificates;
}

TokenObjects read_all(Session& session, const Pkix& pkix) {
  return {pkcs11::read_keys(session, objects_of(CKO_PRIVATE_KEY)),
          pkcs11::read_keys(session, objects_of(CKO_PUBLIC_KEY)),
          read_certificates(session, pkix, objects_of(CKO_CERTIFICATE))};
}

TokenObjects read_matching(Session& session, const Pkix& pkix, Template search) {
  TokenObjects objects;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(std::move(search))) {
    // Which attributes may be asked for depends on the class: a private key is never asked for its CKA_VALUE.
    const std::optional<CK_OBJECT_CLASS> object_class = pkcs11::class_of(session, handle);
    if (object_class == CKO_CERTIFICATE) {
      if (auto object = read_certificate(session, pkix, handle))
        objects.certificates.push_back(std::move(*object));
    } else if (object_class == CKO_PRIVATE_KEY) {
      if (auto object = pkcs11::read_key(session, handle)) objects.private_keys.push_back(std::move(*object));
    } else if (object_class == CKO_PUBLIC_KEY) {
      if (auto object = pkcs11::read_key(session, handle)) objects.public_keys.push_back(std::move(*object));
    }
  }
  pkcs11::drop_unfinished_copies(session, objects.private_keys);
  return objects;
}

TokenObjects read_by_id(Session& session, const Pkix& pkix, pkcs11::ByteView id) {
  Template search;
  search.bytes(CKA_ID, id);
  return read_matching(session, pkix, std::move(search));
}

}  // namespace keystay::keys
