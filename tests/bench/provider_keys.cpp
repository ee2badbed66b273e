#include "tests/bench/provider_keys.h"

#include <string>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

ProviderKeys::ProviderKeys() : libctx_(OSSL_LIB_CTX_new()) {
  require(OSSL_PROVIDER_set_default_search_path(libctx_.get(), KEYSTAY_OSSL_MODULES) == 1,
          "OSSL_PROVIDER_set_default_search_path");
  default_.reset(OSSL_PROVIDER_load(libctx_.get(), "default"));
  require(default_ != nullptr, "OSSL_PROVIDER_load of default");
  keystay_.reset(OSSL_PROVIDER_load(libctx_.get(), "keystay"));
  require(keystay_ != nullptr, "OSSL_PROVIDER_load of keystay from " KEYSTAY_OSSL_MODULES);
  for (const Algorithm& algorithm : algorithms()) {
    if (!keys_.contains(algorithm.alias)) keys_.emplace(algorithm.alias, load(algorithm));
  }
}

OpenSslPointer<EVP_PKEY> ProviderKeys::load(const Algorithm& algorithm) const {
  const std::string uri = "keystay:" + std::string(algorithm.alias);
  const OpenSslPointer<OSSL_STORE_CTX> store(
      OSSL_STORE_open_ex(uri.c_str(), libctx_.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  require(store != nullptr, "OSSL_STORE_open_ex");
  require(OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_PKEY) == 1, "OSSL_STORE_expect");
  while (OSSL_STORE_eof(store.get()) == 0) {
    const OpenSslPointer<OSSL_STORE_INFO> info(OSSL_STORE_load(store.get()));
    if (info) return OpenSslPointer<EVP_PKEY>(OSSL_STORE_INFO_get1_PKEY(info.get()));
    require(OSSL_STORE_error(store.get()) == 0, "OSSL_STORE_load");
  }
  require(false, "OSSL_STORE_load (no private key)");
  return nullptr;
}

}  // namespace keystay::bench
