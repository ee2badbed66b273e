// Our side of mutual TLS: the authorities that we believe, and the certificate that we show.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

#include "native/config/remote_settings.h"
#include "native/pkcs11/pin.h"

namespace keystay::relay {

// TLS 1.2 or later. Reads the files, each time: certificates are renewed. Throws std::runtime_error that
// names the file and the reason. The password is that of `pkcs12`.
[[nodiscard]] boost::asio::ssl::context client_context(const config::RemoteSettings& settings,
                                                       const pkcs11::Pin& password);

// The reasons on OpenSSL's error queue of this thread, the first one first; empties it.
[[nodiscard]] std::string openssl_reasons();

}  // namespace keystay::relay
