// Whom the clients of the load greet, and how.
#pragma once

#include <string>

#include <sys/socket.h>

#include "tests/bench/openssl_pointer.h"

namespace keystay::bench {

struct ServerAddress {
  sockaddr_storage address{};
  socklen_t size = 0;

  // "127.0.0.1:8443", "[::1]:8443", "localhost:8443". Throws std::invalid_argument.
  [[nodiscard]] static ServerAddress parse(const std::string& text);
};

struct TlsOptions {
  std::string version = "1.3";
  std::string groups = "X25519:P-256";
  std::string signature_algorithms;  // as SSL_CTX_set1_sigalgs_list; empty: OpenSSL's list
};

// Never resumes, and trusts every certificate: a verified chain costs the client time, and the server none.
// Knows nothing of openssl.cnf. Throws for a version, a group or an algorithm that OpenSSL does not know.
class ClientContext final {
 public:
  explicit ClientContext(const TlsOptions& options);

  [[nodiscard]] SSL_CTX* get() const noexcept { return context_.get(); }

 private:
  OpenSslPointer<OSSL_LIB_CTX> libctx_;
  OpenSslPointer<SSL_CTX> context_;
};

}  // namespace keystay::bench
