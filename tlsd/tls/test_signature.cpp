#include "tlsd/tls/test_signature.h"

#include <array>
#include <vector>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "tlsd/tls/openssl_error.h"

namespace keystay::tlsd {
namespace {

using Challenge = std::array<unsigned char, 32>;

bool is_rsa(const EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
}

// EdDSA has its own digest.
const char* digest(const EVP_PKEY* key) {
  return is_rsa(key) || EVP_PKEY_is_a(key, "EC") == 1 ? "SHA256" : nullptr;
}

// RFC 8446, section 4.2.3: rsa_pss_rsae_sha256 has a salt as long as the digest.
bool set_padding(const EVP_PKEY* key, EVP_PKEY_CTX* context) {
  return !is_rsa(key) || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

std::vector<unsigned char> sign(OSSL_LIB_CTX* library, EVP_PKEY* key, const Challenge& challenge) {
  const DigestContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  std::size_t size = 0;
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &parameters, digest(key), library, nullptr, key, nullptr) != 1 ||
      !set_padding(key, parameters) ||
      EVP_DigestSign(context.get(), nullptr, &size, challenge.data(), challenge.size()) != 1) {
    return {};
  }
  std::vector<unsigned char> signature(size);
  if (EVP_DigestSign(context.get(), signature.data(), &size, challenge.data(), challenge.size()) != 1)
    return {};
  signature.resize(size);
  return signature;
}

bool verify(OSSL_LIB_CTX* library, EVP_PKEY* key, const Challenge& challenge,
            const std::vector<unsigned char>& signature) {
  const DigestContextHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), &parameters, digest(key), library, nullptr, key, nullptr) ==
             1 &&
         set_padding(key, parameters) &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), challenge.data(),
                          challenge.size()) == 1;
}

}  // namespace

void make_test_signature(OSSL_LIB_CTX* library, const Certificate& certificate) {
  ERR_clear_error();
  Challenge challenge;
  if (RAND_bytes_ex(library, challenge.data(), challenge.size(), 0) != 1)
    throw openssl_error("RAND_bytes_ex");
  const auto signature = sign(library, certificate.key.get(), challenge);
  if (signature.empty()) throw openssl_error("certificate \"" + certificate.name + "\": the key cannot sign");
  if (!verify(library, X509_get0_pubkey(certificate.leaf.get()), challenge, signature)) {
    throw openssl_error("certificate \"" + certificate.name +
                        "\": the signature of the key does not verify with the certificate");
  }
}

}  // namespace keystay::tlsd
