// Owners of OpenSSL objects.
#pragma once

#include <memory>

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/store.h>

namespace keystay::bench {

struct OpenSslDelete {
  void operator()(EVP_MD* md) const noexcept { EVP_MD_free(md); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(OSSL_LIB_CTX* libctx) const noexcept { OSSL_LIB_CTX_free(libctx); }
  void operator()(OSSL_PROVIDER* provider) const noexcept { OSSL_PROVIDER_unload(provider); }
  void operator()(OSSL_STORE_CTX* store) const noexcept { OSSL_STORE_close(store); }
  void operator()(OSSL_STORE_INFO* info) const noexcept { OSSL_STORE_INFO_free(info); }
  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

template <typename T>
using OpenSslPointer = std::unique_ptr<T, OpenSslDelete>;

}  // namespace keystay::bench
