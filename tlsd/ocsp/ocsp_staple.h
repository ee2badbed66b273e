// The OCSP response that goes with a leaf in handshakes (RFC 6066, section 8; RFC 8446, section 4.4.2.1).
#pragma once

#include <memory>
#include <mutex>

#include "tlsd/ocsp/ocsp_response.h"

namespace keystay::tlsd {

// Belongs to a Certificate, whose leaf refers to it. Thread-safe.
class OcspStaple final {
 public:
  // Throws CryptoError.
  explicit OcspStaple(X509* leaf);
  OcspStaple(const OcspStaple&) = delete;
  OcspStaple& operator=(const OcspStaple&) = delete;

  // Null: from now on none.
  void use(std::shared_ptr<const OcspResponse> response);
  [[nodiscard]] std::shared_ptr<const OcspResponse> response() const;

  // Clients of this context that ask for a status get the response of the certificate that they get, if there
  // is one that has not expired. The certificates must outlive the handshakes.
  static void apply(SSL_CTX* context);

 private:
  static int answer(SSL* ssl, void* unused) noexcept;

  mutable std::mutex mutex_;
  std::shared_ptr<const OcspResponse> response_;
};

}  // namespace keystay::tlsd
