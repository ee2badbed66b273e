// The token's keys as OpenSSL sees them through a provider.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/bench/algorithm.h"
#include "tests/bench/openssl_pointer.h"
#include "tests/support/softhsm_token.h"

namespace keystay::bench {

struct ProviderModule {
  std::string name;
  std::string directory;                                   // empty: where OpenSSL's own modules are
  std::function<std::string(std::string_view alias)> uri;  // of the private key
};

[[nodiscard]] ProviderModule keystay_module();
// The same keys, of a group.
[[nodiscard]] ProviderModule keystay_module(std::string_view group);
// The token must outlive it. Sets PKCS11_PROVIDER_MODULE.
[[nodiscard]] ProviderModule pkcs11_provider_module(const test::SoftHsmToken& token);

// A library context with the default provider and this one, and the keys of all algorithms.
class ProviderKeys final {
 public:
  explicit ProviderKeys(ProviderModule module);

  [[nodiscard]] OSSL_LIB_CTX* libctx() const noexcept { return libctx_.get(); }
  [[nodiscard]] EVP_PKEY* key(const Algorithm& algorithm) const { return keys_.at(algorithm.alias).get(); }
  // The private key of an alias, loaded anew.
  [[nodiscard]] OpenSslPointer<EVP_PKEY> load(std::string_view alias) const;

 private:
  ProviderModule module_;
  OpenSslPointer<OSSL_LIB_CTX> libctx_;
  OpenSslPointer<OSSL_PROVIDER> default_;
  OpenSslPointer<OSSL_PROVIDER> provider_;
  std::map<std::string_view, OpenSslPointer<EVP_PKEY>> keys_;
};

}  // namespace keystay::bench
