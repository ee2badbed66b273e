// What a URI names besides private keys: public key objects and certificates, exactly as their attributes
// say.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/pkix.h"
#include "native/pkcs11/token.h"

namespace keystay::provider {

struct PublicObjects {
  std::vector<pkcs11::PublicKey> public_keys;  // each once
  std::vector<keys::Certificate> certificates;
  std::string fault;  // of a public key object that cannot be read; empty if there is none
};

// With this CKA_LABEL and CKA_ID; empty means any. One search. Throws pkcs11::Error that names the token.
[[nodiscard]] PublicObjects read_public_objects(pkcs11::Token& token, const keys::Pkix& pkix,
                                                std::string_view label, pkcs11::ByteView id);

// The same token, for reading what it shows without a login: no PIN is read or asked for. Borrows the module.
[[nodiscard]] std::shared_ptr<pkcs11::Token> without_login(const pkcs11::Token& token,
                                                           pkcs11::TokenIdentity identity);

}  // namespace keystay::provider
