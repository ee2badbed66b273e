// A blocking TLS client, on OpenSSL's own context.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "tests/support/test_ca.h"
#include "tests/tlsd/raw_socket.h"

namespace keystay::test {

struct SslDelete {
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SslSession = std::unique_ptr<SSL_SESSION, SslDelete>;

struct TlsClientOptions {
  std::string server_name = {};                // SNI; none if empty
  int version = 0;                             // TLS1_2_VERSION …; 0: any
  std::string signature_algorithms = {};       // "ECDSA+SHA256", "RSA-PSS+SHA256" …
  std::string protocols = {};                  // ALPN, in wire format: "\x02h2"
  SSL_SESSION* session = nullptr;              // to resume
  const SoftwareIdentity* identity = nullptr;  // the certificate to show, if the server asks for one
};

// The first flight of a client, for a test that goes no further.
[[nodiscard]] std::string client_hello(const TlsClientOptions& options = {});

class TlsClient final {
 public:
  // Connects to 127.0.0.1:port; handshake() follows.
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {});
  // On a connection that is there.
  explicit TlsClient(RawSocket socket, const TlsClientOptions& options = {});

  // False if the handshake fails; reason() says why.
  bool handshake();
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

  bool write(std::string_view data);
  // As RawSocket::read_some; ended_in_order() tells close_notify from a bare end.
  [[nodiscard]] std::string read_some(std::size_t most = 65536);
  [[nodiscard]] bool ended_in_order() const;
  void send_close_notify();

  [[nodiscard]] SSL* ssl() noexcept { return ssl_.get(); }
  [[nodiscard]] RawSocket& socket() noexcept { return socket_; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // The session with the tickets that were read so far.
  [[nodiscard]] SslSession session() { return SslSession(SSL_get1_session(ssl_.get())); }
  // The common name and the key type of the server's leaf: "one.example RSA".
  [[nodiscard]] std::string leaf() const;
  [[nodiscard]] std::size_t certificates_sent() const;

 private:
  RawSocket socket_;
  std::unique_ptr<SSL, SslDelete> ssl_;
  std::string reason_;
};

}  // namespace keystay::test
