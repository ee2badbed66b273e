// What a listener offers in TLS: its certificates by server name, protocols, ciphers, tickets. Immutable; a
// reload makes a new one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tlsd/tls/certificate.h"
#include "tlsd/tls/client_verification.h"
#include "tlsd/tls/openssl_handles.h"
#include "tlsd/tls/sni_table.h"

namespace keystay::tlsd {

using Certificates = std::vector<std::shared_ptr<const Certificate>>;
using TicketKeys = std::vector<unsigned char>;

// What a listener offers and asks for besides its certificates.
struct TlsTerms {
  std::vector<std::string> protocols = {};  // of ALPN (RFC 7301), the preferred first
  std::optional<config::ClientCertificates> clients = {};
};

class TlsContext final {
 public:
  // The first certificate is served where no name matches; without any, each handshake fails with an alert.
  // Certificates for the same name but with another type of key share an SSL_CTX, so that OpenSSL chooses by
  // the client's signature schemes. A client that asks for other protocols only is refused; without any,
  // ALPN is ignored. Throws CryptoError.
  TlsContext(OSSL_LIB_CTX* library, std::string_view listener, const Certificates& certificates,
             const TlsTerms& terms = {});
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // A server's SSL without a socket. The context must outlive its handshake. Throws CryptoError.
  [[nodiscard]] SslHandle new_connection() const;

  // The keys that seal session tickets. Taken over from the context before, tickets outlive a reload.
  [[nodiscard]] TicketKeys ticket_keys() const;
  void use_ticket_keys(TicketKeys keys);

 private:
  using Group = std::vector<const Certificate*>;  // one per type of key

  [[nodiscard]] Group default_group() const;
  SSL_CTX* context_for(const Group& group);
  [[nodiscard]] SslContextHandle make_context(const Group& group) const;

  OSSL_LIB_CTX* library_;
  std::string session_id_context_;
  Certificates certificates_;  // keeps what the contexts were made of
  std::string protocols_;      // as the extension has them
  std::optional<ClientVerification> clients_;
  std::map<Group, SslContextHandle> contexts_;
  SniTable names_;
  SSL_CTX* default_ = nullptr;  // one of contexts_
};

}  // namespace keystay::tlsd
