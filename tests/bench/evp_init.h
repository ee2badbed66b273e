// EVP_DigestSignInit_ex in a new context, with a software key and without the signature: the part of an
// EVP_DigestSign that no provider can make shorter.
#pragma once

#include "tests/bench/algorithm.h"
#include "tests/bench/openssl_pointer.h"
#include "tests/bench/signer.h"

namespace keystay::bench {

class EvpInit final : public Signer {
 public:
  // Generates a key of the default provider.
  explicit EvpInit(const Algorithm& algorithm);

  std::size_t sign() override;  // returns 0

 private:
  const Algorithm& algorithm_;
  OpenSslPointer<EVP_PKEY> key_;
  OpenSslPointer<EVP_MD_CTX> context_;
};

}  // namespace keystay::bench
