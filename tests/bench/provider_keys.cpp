#include "tests/bench/provider_keys.h"

#include <cstdlib>
#include <utility>

#include "tests/bench/openssl_error.h"

namespace keystay::bench {

ProviderModule keystay_module() {
  return {"keystay", KEYSTAY_OSSL_MODULES,
          [](std::string_view alias) { return "keystay:" + std::string(alias); }};
}

ProviderModule keystay_module(std::string_view group) {
  ProviderModule module = keystay_module();
  module.uri = [group](std::string_view alias) {
    return "keystay:" + std::string(group) + "/" + std::string(alias);
  };
  return module;
}

ProviderModule pkcs11_provider_module(const test::SoftHsmToken& token) {
  // Without an openssl.cnf this is how it learns of its module.
  setenv("PKCS11_PROVIDER_MODULE", token.module().c_str(), 1);
  return {"pkcs11", "", [&token](std::string_view alias) {
            return "pkcs11:token=" + token.label() + ";object=" + std::string(alias) +
                   ";type=private?pin-value=" + token.pin();
          }};
}

ProviderKeys::ProviderKeys(ProviderModule module) : module_(std::move(module)), libctx_(OSSL_LIB_CTX_new()) {
  default_.reset(OSSL_PROVIDER_load(libctx_.get(), "default"));
  require(default_ != nullptr, "OSSL_PROVIDER_load of default");
  if (!module_.directory.empty()) {
    require(OSSL_PROVIDER_set_default_search_path(libctx_.get(), module_.directory.c_str()) == 1,
            "OSSL_PROVIDER_set_default_search_path");
  }
  provider_.reset(OSSL_PROVIDER_load(libctx_.get(), module_.name.c_str()));
  require(provider_ != nullptr, ("OSSL_PROVIDER_load of " + module_.name).c_str());
  for (const Algorithm& algorithm : algorithms()) {
    if (!keys_.contains(algorithm.alias)) keys_.emplace(algorithm.alias, load(algorithm.alias));
  }
}

OpenSslPointer<EVP_PKEY> ProviderKeys::load(std::string_view alias) const {
  const std::string uri = module_.uri(alias);
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
