// EVP_DigestSign with whatever key an EVP_PKEY stands for.
#pragma once

#include <vector>

#include "tests/bench/algorithm.h"
#include "tests/bench/openssl_pointer.h"
#include "tests/bench/signer.h"

namespace keystay::bench {

enum class SigningContext {
  reused,   // one EVP_MD_CTX for all signatures
  emptied,  // as if made anew for each, as a TLS server does in each handshake
};

// Begins each signature with EVP_DigestSignInit_ex.
class EvpSigner final : public Signer {
 public:
  // `libctx` and `key` must outlive the signer.
  EvpSigner(OSSL_LIB_CTX* libctx, EVP_PKEY* key, const Algorithm& algorithm, SigningContext kind);

  std::size_t sign() override;

 private:
  OSSL_LIB_CTX* libctx_;
  EVP_PKEY* key_;
  const Algorithm& algorithm_;
  SigningContext kind_;
  OpenSslPointer<EVP_MD_CTX> context_;
  std::vector<unsigned char> signature_;
};

}  // namespace keystay::bench
