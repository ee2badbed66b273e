// All extensions of a certificate or a request, from the -ext options of one command.
#pragma once

#include <span>
#include <string>

#include "native/pkcs11/public_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// The SubjectKeyIdentifier of the key, which keytool adds too, and then what the texts say. Throws Error for
// a type that stands twice.
[[nodiscard]] X509Extensions parse_extensions(std::span<const std::string> texts,
                                              const pkcs11::PublicKey& key);

// What the certificate of a CA's customer has of its own, and of its request.
struct IssuedExtensions {
  pkcs11::Bytes subject_key_identifier;
  pkcs11::Bytes authority_key_identifier;                // empty: none, for a certificate of its own key
  const STACK_OF(X509_EXTENSION) * requested = nullptr;  // may be null
};
// The key identifiers, then of the requested extensions those that an "honored=" among the texts lets in
// ("honored=all,-eku", "honored=san,ku:critical"; none without it, as keytool has it), then the other texts,
// which go before requested ones of their type. Throws Error.
[[nodiscard]] X509Extensions issued_extensions(std::span<const std::string> texts,
                                               const IssuedExtensions& subject);

// Throws Error for a text that could not be part of any list: what can be checked before there is a key.
void require_extensions(std::span<const std::string> texts);
// The same for a certificate that is issued: an "honored=" may be among them.
void require_issued_extensions(std::span<const std::string> texts);

}  // namespace keystay::x509
