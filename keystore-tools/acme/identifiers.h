// Which names of a certificate's subjectAltName an ACME server is asked for (RFC 8555, section 7.1.3, and RFC
// 8738).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "keystore-tools/acme/resources.h"

namespace keystay::tools::acme {

// Of the "san=…" among the texts, as keytool's -ext writes them; each once, in lower case, in their order.
// Empty if there is none. Throws UsageError for names of other kinds than dns: and ip:, and for those that
// are not written in ASCII.
[[nodiscard]] std::vector<Identifier> identifiers_of(std::span<const std::string> extensions);

}  // namespace keystay::tools::acme
