// The token's keys as OpenSSL sees them through the Keystay provider.
#pragma once

#include <map>
#include <string_view>

#include "tests/bench/algorithm.h"
#include "tests/bench/openssl_pointer.h"

namespace keystay::bench {

// A library context with the default provider and Keystay's, and the keys of all algorithms, loaded from
// `keystay:ALIAS`. Reads the configuration that KEYSTAY_CONF names.
class ProviderKeys final {
 public:
  ProviderKeys();

  [[nodiscard]] OSSL_LIB_CTX* libctx() const noexcept { return libctx_.get(); }
  [[nodiscard]] EVP_PKEY* key(const Algorithm& algorithm) const { return keys_.at(algorithm.alias).get(); }

 private:
  [[nodiscard]] OpenSslPointer<EVP_PKEY> load(const Algorithm& algorithm) const;

  OpenSslPointer<OSSL_LIB_CTX> libctx_;
  OpenSslPointer<OSSL_PROVIDER> default_;
  OpenSslPointer<OSSL_PROVIDER> keystay_;
  std::map<std::string_view, OpenSslPointer<EVP_PKEY>> keys_;
};

}  // namespace keystay::bench
