// Cryptography without the token: hashes, public-key operations, verification and keys that were imported.
// It runs in a library context of its own, which no openssl.cnf of the application changes and in which this
// provider is not loaded, so that nothing here can come back to Keystay.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

#include <openssl/provider.h>

#include "native/x509/openssl_types.h"
#include "provider/core.h"
#include "provider/signature/digest.h"

namespace keystay::provider {

class Software final {
 public:
  explicit Software(const Core& core) noexcept : core_(core) {}
  Software(const Software&) = delete;
  Software& operator=(const Software&) = delete;
  ~Software();

  // Made at the first use. Throws Error.
  [[nodiscard]] OSSL_LIB_CTX* libctx() { return environment().libctx.get(); }
  [[nodiscard]] OSSL_PROVIDER* default_provider() { return environment().default_provider.get(); }

  // By any name that libcrypto has for it, object identifiers among them; null if unknown.
  [[nodiscard]] const Digest* digest_named(std::string_view name);
  // The implementation of a hash function, fetched once and kept. Throws Error.
  [[nodiscard]] const EVP_MD* fetch(const Digest& digest);

  // A context for operations with this key, or for making one of this algorithm. Throws Error.
  [[nodiscard]] x509::EvpPkeyContext context_of(EVP_PKEY* key);
  [[nodiscard]] x509::EvpPkeyContext context_for(const char* algorithm);

  // EVP_PKEY_CTX_set_params without property queries: those of the application do not choose what runs here.
  [[nodiscard]] static bool set_params(EVP_PKEY_CTX* operation, const OSSL_PARAM params[]);

  // Keeps everything for the rest of the process: for a call that hangs in a module and may still use it.
  void keep() noexcept;

 private:
  static constexpr std::size_t kDigests = 16;

  struct Environment {
    explicit Environment(const Core& core);
    ~Environment();
    x509::Owned<OSSL_LIB_CTX, OSSL_LIB_CTX_free> libctx;
    x509::Owned<OSSL_PROVIDER, OSSL_PROVIDER_unload> default_provider;
    std::array<std::atomic<EVP_MD*>, kDigests> digests{};
  };
  [[nodiscard]] Environment& environment();

  const Core& core_;
  std::atomic<Environment*> environment_{nullptr};
};

}  // namespace keystay::provider
