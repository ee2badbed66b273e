#include "native/keys/public_objects.h"

#include <algorithm>
#include <utility>

#include "native/keys/entry_join.h"
#include "native/keys/token_objects.h"
#include "native/pkcs11/session.h"

namespace keystay::keys {

PublicObjects read_public_objects(KeySource& source, const Pkix& pkix, std::string_view label,
                                  pkcs11::ByteView id) {
  PublicObjects found;
  source.with_session([&](pkcs11::Session& session) {
    found = {};
    pkcs11::Template search;
    if (!label.empty()) search.text(CKA_LABEL, label);
    if (!id.empty()) search.bytes(CKA_ID, id);
    TokenObjects objects = read_matching(session, pkix, std::move(search));
    for (KeyObject& object : objects.public_keys) {
      if (!object.public_key) {
        found.fault = fault_of_public(object);
      } else if (std::ranges::find(found.public_keys, *object.public_key) == found.public_keys.end()) {
        found.public_keys.push_back(std::move(*object.public_key));
      }
    }
    for (CertificateObject& object : objects.certificates)
      found.certificates.push_back(std::move(object.certificate));
  });
  return found;
}

}  // namespace keystay::keys
