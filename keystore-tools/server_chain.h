// What a TLS server shows of itself (RFC 8446, section 4.4.2).
#pragma once

#include <string>
#include <vector>

#include "native/keys/certificate.h"

namespace keystay::tools {

// The certificates that the server at "example.org", "example.org:8443" or "[2001:db8::1]:443" sends, in its
// order; they are not verified, since they are what somebody wants to look at. Throws UsageError for an
// address that is none, Failure if there is no TLS server or it does not answer within half a minute.
[[nodiscard]] std::vector<keys::Certificate> server_chain(const std::string& address);

}  // namespace keystay::tools
