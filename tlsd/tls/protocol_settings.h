// Versions, ciphers, groups and signature algorithms of a listener, as libssl knows them.
#pragma once

#include <optional>
#include <string>

#include "native/config/tls_settings.h"
#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

class ProtocolSettings final {
 public:
  // Asks libssl for every name. One that begins with '?' may be unknown to it and is left out then, so that
  // one file serves with several releases of OpenSSL; any other must be known. Throws CryptoError with the
  // place in the file, the name, and libssl's reason.
  ProtocolSettings(OSSL_LIB_CTX* library, const config::TlsSettings& settings);

  // Throws CryptoError.
  void apply(SSL_CTX* context) const;

 private:
  // What goes to libssl, and where it comes from.
  using List = std::optional<config::PlacedText>;

  int min_version_;
  int max_version_;
  List ciphers_;
  List cipher_suites_;
  List groups_;
  List signature_algorithms_;
};

}  // namespace keystay::tlsd
