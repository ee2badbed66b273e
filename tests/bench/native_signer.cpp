#include "tests/bench/native_signer.h"

#include <openssl/sha.h>

namespace keystay::bench {
namespace {

pkcs11::Bytes digest() {
  pkcs11::Bytes sha256(SHA256_DIGEST_LENGTH);
  SHA256(message().data(), message().size(), sha256.data());
  return sha256;
}

}  // namespace

NativeSigner::NativeSigner(keys::PrivateKey key, const Algorithm& algorithm)
    : key_(std::move(key)),
      mechanism_(algorithm.mechanism),
      data_(to_be_signed(algorithm, digest())),
      signature_(key_.signature_size()) {}

std::size_t NativeSigner::sign() { return key_.sign(mechanism_, data_, signature_); }

}  // namespace keystay::bench
