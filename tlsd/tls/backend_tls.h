// TLS to the servers of one backend, client side: whose certificates are believed, which names they must
// have, and the certificate that is shown to them.
#pragma once

#include <optional>
#include <string>

#include "native/config/tlsd_settings.h"
#include "tlsd/tls/certificate.h"
#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

// Immutable; a reload makes a new one.
class BackendTls final {
 public:
  // Loads the files and the key; may wait for a token. Throws CryptoError with a complete message.
  BackendTls(OSSL_LIB_CTX* library, std::string backend, const config::BackendTls& settings);
  BackendTls(const BackendTls&) = delete;
  BackendTls& operator=(const BackendTls&) = delete;

  // An SSL in connect state, for a server that the configuration calls `host`, with its port. `refusal` gets
  // why its certificate was not accepted, if it was not, and must outlive the SSL's handshake. Throws
  // CryptoError.
  [[nodiscard]] SslHandle new_connection(const std::string& host, SSL_SESSION* session,
                                         std::string& refusal) const;

 private:
  void use_authorities(const std::string& file);
  void use_certificate(const config::BackendTls& settings);

  OSSL_LIB_CTX* library_;
  std::string backend_;
  std::string name_;                        // that certificates must have; empty: the host's
  std::optional<Certificate> certificate_;  // keeps what the context was made of
  SslContextHandle context_;
};

}  // namespace keystay::tlsd
