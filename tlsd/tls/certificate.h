// A certificate that a listener serves: private key, leaf and chain, as the store of OpenSSL hands them out.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

class OcspStaple;

struct Certificate {
  std::string name;  // as the configuration calls it
  KeyHandle key;
  X509Handle leaf;
  X509Stack chain;                     // the issuers of the leaf, in order, without the trust anchor
  X509Handle issuer;                   // of the leaf, trust anchor or not; null if it is not there
  std::vector<std::string> dns_names;  // subjectAltName dNSName, in lower case
  std::chrono::system_clock::time_point not_after;  // of the certificate of the chain that expires first
  std::string expires_first;                        // the subject of that certificate
  std::shared_ptr<OcspStaple> staple;               // null if the issuer is

  // Whether a provider other than OpenSSL's own has the key: it lives on a token.
  [[nodiscard]] bool on_token() const;
};

// The URI that OpenSSL's store opens: a path for a file, `keystay:` in front of an alias, any other URI as it
// is.
[[nodiscard]] std::string store_uri(std::string_view name);
[[nodiscard]] bool names_file(std::string_view name);
// Whether the key is on a token, as far as the name tells, or a file that holds a reference in its place
// (keystay -exportref): then the provider `keystay` reads it. A file that cannot be read holds none.
[[nodiscard]] bool needs_keystay(std::string_view name);

// Loads the private key of this name, whether there is a certificate for it or not. Throws CryptoError.
[[nodiscard]] KeyHandle load_private_key(OSSL_LIB_CTX* library, const std::string& name);

// Loads the certificate of this name (an alias, a key URI, or the path of a PEM file with key and chain).
// Throws CryptoError if it is absent or incomplete, if several private keys are there, if the key does not
// fit the leaf, or if a certificate of the chain is not valid now.
[[nodiscard]] Certificate load_certificate(OSSL_LIB_CTX* library, const std::string& name);

}  // namespace keystay::tlsd
