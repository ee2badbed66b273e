#include "tests/bench/provider_keys.h"

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

ProviderKeys::ProviderKeys(const ProviderModule& module) : libctx_(OSSL_LIB_CTX_new()) {
  default_.reset(OSSL_PROVIDER_load(libctx_.get(), "default"));
  require(default_ != nullptr, "OSSL_PROVIDER_load of default");
  if (!module.directory.empty()) {
    require(OSSL_PROVIDER_set_default_search_path(libctx_.get(), module.directory.c_str()) == 1,
            "OSSL_PROVIDER_set_default_search_path");
  }
  provider_.reset(OSSL_PROVIDER_load(libctx_.get(), module.name.c_str()));
  require(provider_ != nullptr, ("OSSL_PROVIDER_load of " + module.name).c_str());
  for (const Algorithm& algorithm : algorithms()) {
    if (!keys_.contains(algorithm.alias)) keys_.emplace(algorithm.alias, load(module.uri(algorithm.alias)));
  }
}

OpenSslPointer<EVP_PKEY> ProviderKeys::load(const std::string& uri) const {
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
