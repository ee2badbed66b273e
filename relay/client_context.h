// Our side of mutual TLS: the authorities that we believe, and the certificate that we show.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

#include "native/config/remote_settings.h"

namespace keystay::relay {

// TLS 1.2 or later. Reads the files, each time: certificates are renewed. Throws std::runtime_error that
// names the file and the reason.
[[nodiscard]] boost::asio::ssl::context client_context(const config::RemoteSettings& settings);

// The reasons on OpenSSL's error queue of this thread, the first one first; empties it.
[[nodiscard]] std::string openssl_reasons();

}  // namespace keystay::relay
