// TLS over memory: both ends of a connection in one thread.
#pragma once

#include <openssl/ssl.h>

#include "tests/provider/library_context.h"

namespace keystay::test {

using SslContext = Owned<SSL_CTX, SSL_CTX_free>;
using Ssl = Owned<SSL, SSL_free>;

// A self-signed certificate of the key, signed by the key.
[[nodiscard]] X509Certificate self_signed(EVP_PKEY* key);

// Both ends of one connection.
class Connection final {
 public:
  Connection(SSL_CTX* server, SSL_CTX* client);

  // One step of either end; false on an error. SSL_get_error must never see an error that is none.
  [[nodiscard]] bool step() { return step(client_.get()) && step(server_.get()); }
  [[nodiscard]] bool done() const {
    return SSL_is_init_finished(server_.get()) && SSL_is_init_finished(client_.get());
  }
  [[nodiscard]] bool waits_for_the_token() const { return SSL_want_async(server_.get()) != 0; }

 private:
  static bool step(SSL* end);

  Ssl server_;
  Ssl client_;
};

}  // namespace keystay::test
