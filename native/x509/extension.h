// Certificate extensions (RFC 5280, section 4.2) as keytool's -ext writes them.
#pragma once

#include <span>
#include <string>

#include "native/pkcs11/public_key.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// "san=dns:example.org,ip:127.0.0.1", "bc:critical=ca:true,pathlen:0", "ku=digitalSignature,keyEncipherment",
// "eku=serverAuth,clientAuth". Throws Error that says which forms there are.
[[nodiscard]] X509Extension parse_extension(std::string_view text);

// All of them, after the SubjectKeyIdentifier of the key, which keytool adds too. Throws Error for a type
// that stands twice.
[[nodiscard]] X509Extensions parse_extensions(std::span<const std::string> texts,
                                              const pkcs11::PublicKey& key);

}  // namespace keystay::x509
