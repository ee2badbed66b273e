// Certificate requests as text, in the form of keytool's -printcertreq.
#pragma once

#include <string>

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// Throws Error.
[[nodiscard]] std::string describe_request(const X509_REQ* request);

}  // namespace keystay::x509
