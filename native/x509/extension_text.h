// Extensions as text, in the form in which keytool shows them, which scripts parse.
#pragma once

#include <string>
#include <string_view>

#include "native/x509/openssl_types.h"

namespace keystay::x509 {

// "\nExtensions: \n\n#1: ObjectId: 2.5.29.19 Criticality=true\nBasicConstraints:[…", in keytool's order, the
// kinds that it does not know in hexadecimal. Empty for none. `title` stands before them.
[[nodiscard]] std::string describe_extensions(const STACK_OF(X509_EXTENSION) * extensions,
                                              std::string_view title);

// One of them, without a number: "ObjectId: 2.5.29.19 Criticality=true\n…".
[[nodiscard]] std::string describe_extension(X509_EXTENSION* extension);

}  // namespace keystay::x509
