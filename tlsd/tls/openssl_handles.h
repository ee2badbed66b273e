// OpenSSL's objects, each freed by the function that OpenSSL has for it.
#pragma once

#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace keystay::tlsd {

template <auto free_function>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};

struct FreeGeneralNames {
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};
struct FreeCertificates {
  void operator()(STACK_OF(X509) * chain) const noexcept { sk_X509_pop_free(chain, X509_free); }
};

using BioHandle = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using ConfHandle = std::unique_ptr<CONF, FreedBy<NCONF_free>>;
using LibraryHandle = std::unique_ptr<OSSL_LIB_CTX, FreedBy<OSSL_LIB_CTX_free>>;
using ProviderHandle = std::unique_ptr<OSSL_PROVIDER, FreedBy<OSSL_PROVIDER_unload>>;
using StoreHandle = std::unique_ptr<OSSL_STORE_CTX, FreedBy<OSSL_STORE_close>>;
using StoreInfoHandle = std::unique_ptr<OSSL_STORE_INFO, FreedBy<OSSL_STORE_INFO_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreedBy<EVP_PKEY_free>>;
using DigestContextHandle = std::unique_ptr<EVP_MD_CTX, FreedBy<EVP_MD_CTX_free>>;
using X509Handle = std::unique_ptr<X509, FreedBy<X509_free>>;
using X509Stack = std::unique_ptr<STACK_OF(X509), FreeCertificates>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, FreeGeneralNames>;
using SslContextHandle = std::unique_ptr<SSL_CTX, FreedBy<SSL_CTX_free>>;
using SslSession = std::unique_ptr<SSL_SESSION, FreedBy<SSL_SESSION_free>>;
using SslHandle = std::unique_ptr<SSL, FreedBy<SSL_free>>;

}  // namespace keystay::tlsd
