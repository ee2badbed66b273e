#include "provider/exchange/x963_kdf.h"

#include <array>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

namespace keystay::provider {
namespace {

using Kdf = x509::Owned<EVP_KDF, EVP_KDF_free>;
using KdfContext = x509::Owned<EVP_KDF_CTX, EVP_KDF_CTX_free>;

// The longest name of a function or a digest, as in OpenSSL's providers.
using Name = std::array<char, 50>;

void ask(EVP_PKEY_CTX* derivation, OSSL_PARAM* request) {
  if (EVP_PKEY_CTX_get_params(derivation, request) != 1) throw SoftwareFailure("EVP_PKEY_CTX_get_params");
}

}  // namespace

// The default provider knows no other function here.
bool wants_x963_kdf(EVP_PKEY_CTX* derivation) {
  Name name{};
  OSSL_PARAM request[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, name.data(), name.size()),
      OSSL_PARAM_construct_end()};
  ask(derivation, request);
  return name.front() != '\0';
}

void x963_kdf(EVP_PKEY_CTX* derivation, pkcs11::ByteView shared, std::span<std::uint8_t> derived,
              Software& software) {
  Name digest{};
  void* ukm = nullptr;
  OSSL_PARAM request[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &ukm, 0), OSSL_PARAM_construct_end()};
  ask(derivation, request);

  const Kdf function(EVP_KDF_fetch(software.libctx(), OSSL_KDF_NAME_X963KDF, nullptr));
  const KdfContext context(function ? EVP_KDF_CTX_new(function.get()) : nullptr);
  // OSSL_PARAM is not const-correct; libcrypto only reads.
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::uint8_t*>(shared.data()),
                                        shared.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, ukm, ukm ? request[1].return_size : 0),
      OSSL_PARAM_construct_end()};
  if (!context || EVP_KDF_derive(context.get(), derived.data(), derived.size(), params) != 1)
    throw SoftwareFailure("EVP_KDF_derive");
}

}  // namespace keystay::provider
