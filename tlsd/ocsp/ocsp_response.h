// OCSP (RFC 6960): the question for one certificate, and answers that are believed.
#pragma once

#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tlsd/tls/openssl_handles.h"

namespace keystay::tlsd {

struct OcspResponse {
  std::vector<unsigned char> der;
  std::chrono::system_clock::time_point this_update;
  std::chrono::system_clock::time_point
      next_update;  // an hour after this_update where the responder says none
};

// A certificate that its issuer has revoked.
class Revoked : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The first responder with http:// that the certificate names (RFC 5280, section 4.2.2.1); empty if none.
[[nodiscard]] std::string ocsp_responder(const X509* leaf);

// The request, without a nonce: responders answer with what they have signed in advance (RFC 5019). Throws
// CryptoError.
[[nodiscard]] std::vector<unsigned char> ocsp_request(const X509* leaf, const X509* issuer);

// The response, if the issuer has signed it, or one that the issuer has charged with it, and it says that the
// certificate is good. Its times are not looked at. Throws CryptoError, and Revoked.
[[nodiscard]] OcspResponse verified_response(OSSL_LIB_CTX* library, std::span<const unsigned char> der,
                                             const X509* leaf, X509* issuer);

}  // namespace keystay::tlsd
