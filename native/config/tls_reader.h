// Reads what a listener agrees to in TLS.
#pragma once

#include "native/config/table_reader.h"
#include "native/config/tls_settings.h"

namespace keystay::config {

// Of a [[tlsd.listener]]. Throws Error.
[[nodiscard]] TlsSettings read_tls(const TableReader& listener);

// `ocsp` of a [[tlsd.listener]]. Throws Error.
[[nodiscard]] OcspSettings read_ocsp(const TableReader& listener);

}  // namespace keystay::config
