// What a ClientHello says before libssl has looked at it.
#pragma once

#include <string_view>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

// The host name of its server_name extension (RFC 6066, section 3); empty if there is none, or it is not
// sound: libssl answers that with an alert afterwards. Refers to the message. For a callback of
// SSL_CTX_set_client_hello_cb; allocates nothing.
[[nodiscard]] std::string_view server_name_of_hello(SSL* ssl) noexcept;

}  // namespace keystay::tlsd
