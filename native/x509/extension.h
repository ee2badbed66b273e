// One certificate extension (RFC 5280, section 4.2) as keytool's -ext writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// "san=dns:example.org,ip:127.0.0.1", "bc:critical=ca:true,pathlen:0",
// "ku:c=digitalSignature,keyEncipherment", "eku=serverAuth,clientAuth", "ian=…", "aia=ocsp:uri:…", "sia=…",
// "crl=uri:…", "1.2.3.4=0500". Throws Error that says which forms there are.
[[nodiscard]] X509Extension parse_extension(std::string_view text);

// The type that a name, also an abbreviated one, or an OID stands for. `text` is for messages. Throws Error.
[[nodiscard]] Asn1Object extension_oid(std::string_view text, const std::string& name);

// "critical" or "non-critical", perhaps abbreviated; nothing for "". Likewise.
[[nodiscard]] std::optional<bool> criticality(std::string_view text, const std::string& word);

}  // namespace keystay::x509
