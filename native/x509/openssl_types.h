// libcrypto's objects, each freed by the function that libcrypto has for it.
#pragma once

#include <memory>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace keystay::x509 {

template <auto free_function>
struct FreedBy {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};

template <typename T, auto free_function>
using Owned = std::unique_ptr<T, FreedBy<free_function>>;

struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * extensions) const noexcept {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  }
};
// Memory that libcrypto allocated: i2d_…, BN_bn2dec.
struct OpensslFree {
  void operator()(void* memory) const noexcept { OPENSSL_free(memory); }
};

using EvpPkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using EvpPkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using EvpMd = Owned<EVP_MD, EVP_MD_free>;
using EvpMdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using OsslParamBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using OsslParams = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using BigNumber = Owned<BIGNUM, BN_free>;
using EcGroup = Owned<EC_GROUP, EC_GROUP_free>;
using EcPoint = Owned<EC_POINT, EC_POINT_free>;
using InputOutput = Owned<BIO, BIO_free_all>;
using Asn1Object = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using Asn1Integer = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using X509Algorithm = Owned<X509_ALGOR, X509_ALGOR_free>;
using X509Certificate = Owned<X509, X509_free>;
using X509Request = Owned<X509_REQ, X509_REQ_free>;
using X509Name = Owned<X509_NAME, X509_NAME_free>;
using X509Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using X509Extensions = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;
using Pkcs7 = Owned<PKCS7, PKCS7_free>;

}  // namespace keystay::x509
