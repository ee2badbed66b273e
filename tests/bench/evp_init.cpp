#include "tests/bench/evp_init.h"

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

EvpInit::EvpInit(const Algorithm& algorithm)
    : algorithm_(algorithm),
      key_(algorithm.key_algorithm == "RSA" ? EVP_RSA_gen(algorithm.key_size) : EVP_EC_gen("P-256")),
      context_(EVP_MD_CTX_new()) {
  require(key_ && context_, "EVP_PKEY_Q_keygen");
}

std::size_t EvpInit::sign() {
  EVP_PKEY_CTX* operation = nullptr;
  require(EVP_MD_CTX_reset(context_.get()) == 1, "EVP_MD_CTX_reset");
  require(
      EVP_DigestSignInit_ex(context_.get(), &operation, "SHA256", nullptr, nullptr, key_.get(), nullptr) == 1,
      "EVP_DigestSignInit_ex");
  set_padding(algorithm_, operation);
  return 0;
}

}  // namespace keystay::bench
