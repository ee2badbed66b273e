// The files in which certificates arrive: PEM with any number of them, one DER certificate, or PKCS #7
// (.p7b).
#pragma once

#include <string_view>
#include <vector>

#include "native/keys/certificate.h"
#include "native/keys/pkix.h"

namespace keystay::x509 {

// All certificates, in the order of the file, each once. PEM blocks of other kinds are skipped. Throws Error
// if there is none, or if one is damaged.
[[nodiscard]] std::vector<keys::Certificate> read_certificates(std::string_view content);

struct OrderedChain {
  keys::Chain chain;                         // the leaf first
  std::vector<keys::Certificate> unrelated;  // issuers of nothing in the chain
};

// Begins with the certificate of `key` (the newest, if there are several) and goes on with issuers, found by
// name and checked by signature, until a self-issued one or the last that is there. The chain is empty if no
// certificate fits the key.
[[nodiscard]] OrderedChain order_chain(std::vector<keys::Certificate> certificates,
                                       const pkcs11::PublicKey& key, const keys::Pkix& pkix);

}  // namespace keystay::x509
