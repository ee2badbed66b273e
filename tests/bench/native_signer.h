// keys::PrivateKey::sign, the native core without OpenSSL.
#pragma once

#include "native/keys/private_key.h"
#include "tests/bench/algorithm.h"
#include "tests/bench/signer.h"

namespace keystay::bench {

class NativeSigner final : public Signer {
 public:
  NativeSigner(keys::PrivateKey key, const Algorithm& algorithm);

  std::size_t sign() override;

 private:
  keys::PrivateKey key_;
  pkcs11::SignMechanism mechanism_;
  pkcs11::Bytes data_;
  pkcs11::Bytes signature_;
};

}  // namespace keystay::bench
