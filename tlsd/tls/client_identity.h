// Who a client is by the certificate that it showed and that was verified.
#pragma once

#include <optional>
#include <string>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

struct ClientIdentity {
  std::string subject;      // RFC 2253, in UTF-8: "CN=web-1,O=Example"
  std::string fingerprint;  // SHA-256 of the certificate, 64 digits of hexadecimal in lower case
  std::string certificate;  // DER in base64
};

// Nothing if the client showed none.
[[nodiscard]] std::optional<ClientIdentity> client_identity(const SSL* ssl);

}  // namespace keystay::tlsd
