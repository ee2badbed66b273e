// Distinguished names as text: RFC 4514 with the keywords of keytool's -dname.
#pragma once

#include <string>
#include <string_view>

#include "native/pkcs11/cryptoki.h"
#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// "CN=example.org, OU=Web, O=Example, C=DE": the first attribute of the text becomes the last of the DER
// name, as RFC 4514 and keytool have it. Throws Error that names the place in the text.
[[nodiscard]] X509Name parse_name(std::string_view text);

// From a DER Name. Throws Error.
[[nodiscard]] X509Name decode_name(pkcs11::ByteView der);

// The same form as parse_name reads, from a DER Name. Throws Error.
[[nodiscard]] std::string format_name(pkcs11::ByteView der);

}  // namespace keystay::x509
