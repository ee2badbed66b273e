// The names of a certificate beside its subject (RFC 5280, section 4.2.1.6), for the next request of the same
// server.
#pragma once

#include <optional>
#include <string>

#include "native/keys/certificate.h"

namespace keystay::x509 {

// "san=dns:example.org,ip:127.0.0.1", as keytool's -ext and parse_extension() take it; nothing if it has
// none. Throws Error for a kind of name that -ext does not have.
[[nodiscard]] std::optional<std::string> subject_alternative_names(const keys::Certificate& certificate);

}  // namespace keystay::x509
