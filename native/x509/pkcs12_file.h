// PKCS #12 (RFC 7292), as Java, Windows, OpenSSL and browsers write it.
#pragma once

#include "native/x509/key_file.h"

namespace keystay::x509 {

[[nodiscard]] bool is_pkcs12(std::string_view content);

// As read_key_file.
[[nodiscard]] KeyFile read_pkcs12(std::string_view content, const KeyFilePasswords& passwords);

}  // namespace keystay::x509
