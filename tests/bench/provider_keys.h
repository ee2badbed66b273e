// The token's keys as OpenSSL sees them through a provider.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/bench/algorithm.h"
#include "tests/bench/openssl_pointer.h"

namespace keystay::bench {

struct ProviderModule {
  std::string name;
  std::string directory;                                   // empty: where OpenSSL's own modules are
  std::function<std::string(std::string_view alias)> uri;  // of the private key
};

// A library context with the default provider and this one, and the keys of all algorithms.
class ProviderKeys final {
 public:
  explicit ProviderKeys(const ProviderModule& module);

  [[nodiscard]] OSSL_LIB_CTX* libctx() const noexcept { return libctx_.get(); }
  [[nodiscard]] EVP_PKEY* key(const Algorithm& algorithm) const { return keys_.at(algorithm.alias).get(); }

 private:
  [[nodiscard]] OpenSslPointer<EVP_PKEY> load(const std::string& uri) const;

  OpenSslPointer<OSSL_LIB_CTX> libctx_;
  OpenSslPointer<OSSL_PROVIDER> default_;
  OpenSslPointer<OSSL_PROVIDER> provider_;
  std::map<std::string_view, OpenSslPointer<EVP_PKEY>> keys_;
};

}  // namespace keystay::bench
