#include "provider/public_objects.h"

#include <algorithm>
#include <utility>

#include "native/keys/entry.h"
#include "native/keys/token_objects.h"

namespace keystay::provider {

PublicObjects read_public_objects(pkcs11::Token& token, const keys::Pkix& pkix, std::string_view label,
                                  pkcs11::ByteView id) {
  PublicObjects found;
  token.with_session([&](pkcs11::Session& session) {
    found = {};
    pkcs11::Template search;
    if (!label.empty()) search.text(CKA_LABEL, label);
    if (!id.empty()) search.bytes(CKA_ID, id);
    keys::TokenObjects objects = keys::read_matching(session, pkix, std::move(search));
    for (keys::KeyObject& object : objects.public_keys) {
      if (!object.public_key) {
        found.fault = keys::fault_of_public(object);
      } else if (std::ranges::find(found.public_keys, *object.public_key) == found.public_keys.end()) {
        found.public_keys.push_back(std::move(*object.public_key));
      }
    }
    for (keys::CertificateObject& object : objects.certificates)
      found.certificates.push_back(std::move(object.certificate));
  });
  return found;
}

std::shared_ptr<pkcs11::Token> without_login(const pkcs11::Token& token, pkcs11::TokenIdentity identity) {
  pkcs11::TokenOptions options = token.options();
  options.identity = std::move(identity);
  options.pin = nullptr;
  return std::make_shared<pkcs11::Token>(
      std::shared_ptr<pkcs11::Module>(&token.module(), [](pkcs11::Module*) {}), std::move(options));
}

}  // namespace keystay::provider
