// What a URI names besides private keys: public key objects and certificates, exactly as their attributes
// say.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/key_source.h"
#include "native/keys/pkix.h"

namespace keystay::keys {

struct PublicObjects {
  std::vector<pkcs11::PublicKey> public_keys;  // each once
  std::vector<Certificate> certificates;
  std::string fault;  // of a public key object that cannot be read; empty if there is none
};

// With this CKA_LABEL and CKA_ID; empty means any. One search. Throws pkcs11::Error that names the token.
[[nodiscard]] PublicObjects read_public_objects(KeySource& source, const Pkix& pkix, std::string_view label,
                                                pkcs11::ByteView id);

}  // namespace keystay::keys
