// Clients that are asked for a certificate (RFC 8446, section 4.3.2): by which authorities, and by which
// names.
#pragma once

#include <string>
#include <vector>

#include "native/config/tlsd_settings.h"
#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

class ClientVerification final {
 public:
  explicit ClientVerification(config::ClientCertificates settings);
  ClientVerification(const ClientVerification&) = delete;
  ClientVerification& operator=(const ClientVerification&) = delete;

  // Every handshake of the context asks for a certificate from now on, and no connection is resumed without
  // one: a client that is taken from the list is out at the next connection. The context refers to this
  // object. Throws CryptoError.
  void apply(OSSL_LIB_CTX* library, SSL_CTX* context) const;

  // Of a handshake that failed: why the client's certificate was refused, and whose it is; empty if that was
  // not the reason. `library_reason` is that of the error queue.
  [[nodiscard]] static std::string refusal(const SSL* ssl, int library_reason);

 private:
  static int verify(X509_STORE_CTX* chain, void* verification) noexcept;
  [[nodiscard]] bool names(X509* certificate) const noexcept;

  config::ClientCertificates settings_;
};

}  // namespace keystay::tlsd
