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
#include "tlsd/tls/protocol_settings.h"
#include "tlsd/tls/sni_table.h"
#include "tlsd/tls/ticket_keys.h"

namespace keystay::tlsd {

using Certificates = std::vector<std::shared_ptr<const Certificate>>;

// What a listener offers and asks for besides its certificates.
struct TlsTerms {
  std::vector<std::string> protocols = {};  // of ALPN (RFC 7301), the preferred first
  std::optional<config::ClientCertificates> clients = {};
  config::TlsSettings protocol = {};
  std::shared_ptr<const TicketKeys> tickets = nullptr;  // null: no connection is resumed
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

  // Whether a connection that has agreed on TLS is one for this host, too, which is a name or an address:
  // whether a handshake for it would have been given the same certificates (RFC 9110, section 7.4). What no
  // certificate has is served by the first one, or not at all, as `unknown-name` says.
  [[nodiscard]] bool serves(const SSL* ssl, std::string_view host) const noexcept;

  // Of a handshake that failed: that no certificate has the client's server name; empty if that was not the
  // reason. `library_reason` is that of the error queue.
  [[nodiscard]] std::string refused_name(const SSL* ssl, int library_reason) const;

 private:
  using Group = std::vector<const Certificate*>;  // one per type of key

  static int choose_context(SSL* ssl, int* alert, void* tls) noexcept;
  static int answer_name(SSL* ssl, int* alert, void* tls) noexcept;
  [[nodiscard]] Group default_group() const;
  SSL_CTX* context_for(const Group& group);
  [[nodiscard]] SslContextHandle make_context(const Group& group) const;

  OSSL_LIB_CTX* library_;
  Certificates certificates_;  // keeps what the contexts were made of
  std::string protocols_;      // as the extension has them
  ProtocolSettings protocol_settings_;
  config::UnknownName unknown_name_;
  std::shared_ptr<const TicketKeys> tickets_;
  std::optional<ClientVerification> clients_;
  std::map<Group, SslContextHandle> contexts_;
  SniTable names_;
  NamedContext default_;  // one of contexts_
};

}  // namespace keystay::tlsd
