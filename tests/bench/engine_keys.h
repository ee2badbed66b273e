// The token's keys as OpenSSL sees them through libp11's engine: a peer to compare with.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/bench/bench_token.h"
#include "tests/bench/openssl_pointer.h"

namespace keystay::bench {

class EngineKeys final {
 public:
  // Throws std::runtime_error if the engine `pkcs11` is not installed (Debian: libengine-pkcs11-openssl) or
  // does not load the keys.
  explicit EngineKeys(const test::SoftHsmToken& token);

  [[nodiscard]] EVP_PKEY* key(const Algorithm& algorithm) const { return keys_.at(algorithm.alias).get(); }

 private:
  std::map<std::string_view, OpenSslPointer<EVP_PKEY>> keys_;
};

}  // namespace keystay::bench
