// Certificate requests as text, in the form of keytool's -printcertreq.
#pragma once

#include <string>

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// The same by its parts. Throws Error.
struct RequestSummary {
  std::string subject;
  std::string key;  // "256-bit EC (secp256r1) key"
  std::string signature_algorithm;
  std::string extensions;  // line by line; empty: it asks for none
};
[[nodiscard]] RequestSummary summary_of(const X509_REQ* request);

// Throws Error.
[[nodiscard]] std::string describe_request(const X509_REQ* request);

}  // namespace keystay::x509
