#include "native/keys/token_objects.h"

#include <utility>

#include "native/pkcs11/der_element.h"
#include "native/pkcs11/stated_key.h"

namespace keystay::keys {
namespace {

using pkcs11::Attributes;
using pkcs11::Session;
using pkcs11::Template;

constexpr CK_ATTRIBUTE_TYPE kCertificateAttributes[] = {CKA_CERTIFICATE_TYPE, CKA_ID, CKA_LABEL, CKA_VALUE};

constexpr std::uint8_t kSequence = 0x30;

// CKA_VALUE without what follows the certificate: files of smart cards have a fixed size and are padded.
// Nothing if it does not begin with a whole SEQUENCE.
std::optional<pkcs11::ByteView> first_sequence(pkcs11::ByteView value) {
  const std::optional<pkcs11::DerElement> element = pkcs11::take_element(value);
  if (!element || element->tag != kSequence) return std::nullopt;
  return element->whole;
}

// A key that no peer could use certifies nothing for us.
void drop_faulty_key(Certificate& certificate) {
  const auto* rsa =
      certificate.public_key ? std::get_if<pkcs11::RsaPublicKey>(&*certificate.public_key) : nullptr;
  if (rsa && !pkcs11::fault_of(*rsa).empty()) certificate.public_key.reset();
}

class CertificateReader final {
 public:
  CertificateReader(Session& session, const Pkix& pkix, TokenObjects& objects)
      : session_(session), pkix_(pkix), objects_(objects) {}

  void read(CK_OBJECT_HANDLE handle) {
    const Attributes attributes = session_.attributes(handle, kCertificateAttributes);
    if (attributes.number(CKA_CERTIFICATE_TYPE).value_or(CKC_X_509) != CKC_X_509) return;
    const pkcs11::Bytes value = attributes.bytes(CKA_VALUE);
    const std::optional<pkcs11::ByteView> der = first_sequence(value);
    std::optional<Certificate> certificate = der ? pkix_.decode(*der) : std::nullopt;
    if (!certificate) {
      objects_.unreadable_certificates.push_back(
          {CKO_CERTIFICATE, attributes.text(CKA_LABEL), attributes.bytes(CKA_ID),
           value.empty() ? "it has no CKA_VALUE, or one of more than 1 MiB"
                         : "its CKA_VALUE is no DER certificate of X.509"});
      return;
    }
    drop_faulty_key(*certificate);
    objects_.certificates.push_back(
        {handle, attributes.bytes(CKA_ID), attributes.text(CKA_LABEL), std::move(*certificate)});
  }

  void read_all(Template search) {
    for (const CK_OBJECT_HANDLE handle : session_.find_token_objects(std::move(search))) read(handle);
  }

 private:
  Session& session_;
  const Pkix& pkix_;
  TokenObjects& objects_;
};

// What pkcs11::stated_key leaves to an X.509 library.
void check_point(KeyObject& key, const Pkix& pkix) {
  auto* ec = key.public_key ? std::get_if<pkcs11::EcPublicKey>(&*key.public_key) : nullptr;
  if (!ec) return;
  if (std::optional<pkcs11::EcPublicKey> checked = pkix.uncompressed(*ec)) {
    *ec = *std::move(checked);
    return;
  }
  key.fault = "the point in its CKA_EC_POINT is not on its curve, or the curve is not available here";
  key.public_key.reset();
}

std::vector<KeyObject> read_keys(Session& session, const Pkix& pkix, CK_OBJECT_CLASS object_class) {
  std::vector<KeyObject> keys = pkcs11::read_keys(session, objects_of(object_class));
  for (KeyObject& key : keys) check_point(key, pkix);
  return keys;
}

void add_key(std::vector<KeyObject>& keys, std::optional<KeyObject> key, const Pkix& pkix) {
  if (!key) return;
  check_point(*key, pkix);
  keys.push_back(*std::move(key));
}

}  // namespace

Template objects_of(CK_OBJECT_CLASS object_class) {
  Template search;
  search.number(CKA_CLASS, object_class);
  return search;
}

std::vector<CertificateObject> read_certificates(Session& session, const Pkix& pkix, Template search) {
  TokenObjects objects;
  CertificateReader(session, pkix, objects).read_all(std::move(search));
  return std::move(objects.certificates);
}

std::optional<CertificateObject> read_certificate(Session& session, const Pkix& pkix,
                                                  CK_OBJECT_HANDLE handle) {
  TokenObjects objects;
  CertificateReader(session, pkix, objects).read(handle);
  if (objects.certificates.empty()) return std::nullopt;
  return std::move(objects.certificates.front());
}

std::optional<pkcs11::PublicKey> public_key_of(Session& session, const Pkix& pkix, CK_OBJECT_HANDLE key) {
  std::optional<pkcs11::PublicKey> stated = pkcs11::public_key_of(session, key);
  const auto* ec = stated ? std::get_if<pkcs11::EcPublicKey>(&*stated) : nullptr;
  return ec ? pkix.uncompressed(*ec) : std::move(stated);
}

TokenObjects read_all(Session& session, const Pkix& pkix) {
  TokenObjects objects;
  objects.private_keys = read_keys(session, pkix, CKO_PRIVATE_KEY);
  objects.public_keys = read_keys(session, pkix, CKO_PUBLIC_KEY);
  CertificateReader(session, pkix, objects).read_all(objects_of(CKO_CERTIFICATE));
  return objects;
}

TokenObjects read_matching(Session& session, const Pkix& pkix, Template search) {
  TokenObjects objects;
  for (const CK_OBJECT_HANDLE handle : session.find_token_objects(std::move(search))) {
    // Which attributes may be asked for depends on the class: a private key is never asked for its CKA_VALUE.
    const std::optional<CK_OBJECT_CLASS> object_class = pkcs11::class_of(session, handle);
    if (object_class == CKO_CERTIFICATE) {
      CertificateReader(session, pkix, objects).read(handle);
    } else if (object_class == CKO_PRIVATE_KEY) {
      add_key(objects.private_keys, pkcs11::read_key(session, handle), pkix);
    } else if (object_class == CKO_PUBLIC_KEY) {
      add_key(objects.public_keys, pkcs11::read_key(session, handle), pkix);
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
