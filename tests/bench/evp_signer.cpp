#include "tests/bench/evp_signer.h"

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

EvpSigner::EvpSigner(OSSL_LIB_CTX* libctx, EVP_PKEY* key, const Algorithm& algorithm, SigningContext kind)
    : libctx_(libctx),
      key_(key),
      algorithm_(algorithm),
      kind_(kind),
      context_(EVP_MD_CTX_new()),
      signature_(static_cast<std::size_t>(EVP_PKEY_get_size(key))) {
  require(context_ != nullptr, "EVP_MD_CTX_new");
}

std::size_t EvpSigner::sign() {
  EVP_PKEY_CTX* operation = nullptr;
  if (kind_ == SigningContext::emptied) require(EVP_MD_CTX_reset(context_.get()) == 1, "EVP_MD_CTX_reset");
  require(EVP_DigestSignInit_ex(context_.get(), &operation, "SHA256", libctx_, nullptr, key_, nullptr) == 1,
          "EVP_DigestSignInit_ex");
  set_padding(algorithm_, operation);
  std::size_t length = signature_.size();
  require(EVP_DigestSign(context_.get(), signature_.data(), &length, message().data(), message().size()) == 1,
          "EVP_DigestSign");
  return length;
}

}  // namespace keystay::bench
