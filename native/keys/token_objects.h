// The objects of a token that the alias rules look at, as they were when they were read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/listing.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/key_object.h"

namespace keystay::keys {

using pkcs11::KeyObject;

// CKO_CERTIFICATE of type CKC_X_509 whose value the X.509 library understands.
struct CertificateObject {
  CK_OBJECT_HANDLE handle;
  pkcs11::Bytes id;
  std::string label;
  Certificate certificate;
};

struct TokenObjects {
  std::vector<KeyObject> private_keys;
  std::vector<KeyObject> public_keys;
  std::vector<CertificateObject> certificates;
  std::vector<UnreadableObject> unreadable_certificates{};
};

[[nodiscard]] pkcs11::Template objects_of(CK_OBJECT_CLASS object_class);

// One search, and one batched read per object.
[[nodiscard]] std::vector<CertificateObject> read_certificates(pkcs11::Session& session, const Pkix& pkix,
                                                               pkcs11::Template search);

// Nothing if it is none, or cannot be read.
[[nodiscard]] std::optional<CertificateObject> read_certificate(pkcs11::Session& session, const Pkix& pkix,
                                                                CK_OBJECT_HANDLE handle);

// The public half that a key object states (stated_key.h), on its curve and uncompressed; nothing if it
// states none.
[[nodiscard]] std::optional<pkcs11::PublicKey> public_key_of(pkcs11::Session& session, const Pkix& pkix,
                                                             CK_OBJECT_HANDLE key);

// All objects of the token: three searches.
[[nodiscard]] TokenObjects read_all(pkcs11::Session& session, const Pkix& pkix);
// The objects of all three classes that the template matches: one search.
[[nodiscard]] TokenObjects read_matching(pkcs11::Session& session, const Pkix& pkix, pkcs11::Template search);
// The objects with this CKA_ID: one search.
[[nodiscard]] TokenObjects read_by_id(pkcs11::Session& session, const Pkix& pkix, pkcs11::ByteView id);

}  // namespace keystay::keys
