// C_SignInit and C_Sign, and nothing else: what the module itself can do. The yardstick.
#pragma once

#include <array>

#include <openssl/types.h>

#include "tests/bench/bench_token.h"
#include "tests/bench/openssl_pointer.h"
#include "tests/bench/signer.h"

namespace keystay::bench {

enum class RawKey {
  token_object,
  session_copy,  // C_CopyObject, one per session
};

enum class Hashing {
  beforehand,  // each signature is of the same digest
  each_time,   // each signature hashes the message first, with libcrypto
};

// A session of its own, for as long as it lives.
class RawSigner final : public Signer {
 public:
  RawSigner(const RawToken& token, const Algorithm& algorithm, RawKey key, Hashing hashing);
  ~RawSigner() override;  // C_CloseSession

  std::size_t sign() override;

 private:
  [[nodiscard]] CK_OBJECT_HANDLE find_key(const Algorithm& algorithm) const;
  [[nodiscard]] CK_OBJECT_HANDLE copy(CK_OBJECT_HANDLE key) const;
  void hash();

  CK_FUNCTION_LIST& functions_;
  CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE key_ = CK_INVALID_HANDLE;
  pkcs11::MechanismParameters mechanism_;
  Hashing hashing_;
  OpenSslPointer<EVP_MD> sha256_;
  OpenSslPointer<EVP_MD_CTX> context_;
  pkcs11::Bytes data_;  // ends with the digest
  std::array<CK_BYTE, 512> signature_;
};

}  // namespace keystay::bench
