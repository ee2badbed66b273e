// The files in which certificates arrive: PEM with any number of them, one DER certificate, or PKCS #7
// (.p7b).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/pkix.h"

namespace keystay::x509 {

struct CertificateBundle {
  std::vector<keys::Certificate> certificates;  // in the order of the file, each once
  std::vector<std::string> skipped;             // the labels of PEM blocks of other kinds: "PRIVATE KEY"
};

// Of a TRUSTED CERTIFICATE (openssl x509 -trustout) the certificate, without what OpenSSL adds to it. Throws
// Error if there is no certificate, or if one is damaged.
[[nodiscard]] CertificateBundle read_bundle(std::string_view content);
// Its certificates.
[[nodiscard]] std::vector<keys::Certificate> read_certificates(std::string_view content);

struct OrderedChain {
  keys::Chain chain;                         // the leaf first
  std::vector<keys::Certificate> unrelated;  // issuers of nothing in the chain
};

// The best chain (keys::ChainBuilder) of the certificate of `key`: of several, of the newest that is valid
// now. It is empty if no certificate fits the key.
[[nodiscard]] OrderedChain order_chain(std::vector<keys::Certificate> certificates,
                                       const pkcs11::PublicKey& key, const keys::Pkix& pkix);

}  // namespace keystay::x509
