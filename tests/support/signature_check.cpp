#include "tests/support/signature_check.h"

#include <memory>
#include <stdexcept>
#include <vector>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/support/witness.h"

namespace keystay::test {

namespace {

struct Delete {
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const noexcept { ECDSA_SIG_free(signature); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, Delete>;

// "No" is an answer here: its reasons do not stay on the error queue.
bool answer(int result) {
  ERR_clear_error();
  return result == 1;
}

Context verification(EVP_PKEY* key) {
  Context context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1)
    throw std::runtime_error("libcrypto cannot verify");
  return context;
}

int verify(const Context& context, ByteView signature, ByteView data) {
  return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), data.data(), data.size());
}

// libcrypto takes ECDSA signatures as DER (RFC 3279, section 2.2.3).
std::vector<std::uint8_t> to_der(ByteView raw) {
  const std::unique_ptr<ECDSA_SIG, Delete> signature(ECDSA_SIG_new());
  const int half = static_cast<int>(raw.size() / 2);
  ECDSA_SIG_set0(signature.get(), BN_bin2bn(raw.data(), half, nullptr),
                 BN_bin2bn(raw.data() + half, half, nullptr));
  std::vector<std::uint8_t> der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)));
  std::uint8_t* out = der.data();
  i2d_ECDSA_SIG(signature.get(), &out);
  return der;
}

bool verifies_rsa(EVP_PKEY* key, int padding, const char* digest_name, ByteView digest, ByteView signature) {
  const Context context = verification(key);
  EVP_PKEY_CTX_set_rsa_padding(context.get(), padding);
  EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(digest_name));
  if (padding == RSA_PKCS1_PSS_PADDING) {
    EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST);
  }
  return answer(verify(context, signature, digest));
}

}  // namespace

Openssl<EVP_PKEY> read_public_key(const SoftHsmToken& token, const std::string& label) {
  const std::string der = libp11_object(token, "public-key", label).der;
  const auto* in = reinterpret_cast<const unsigned char*>(der.data());
  Openssl<EVP_PKEY> key(d2i_PUBKEY(nullptr, &in, static_cast<long>(der.size())));
  if (!key) throw std::runtime_error("libp11 reads no public key with label " + label);
  return key;
}

bool verifies_ecdsa(EVP_PKEY* key, ByteView digest, ByteView signature) {
  return answer(verify(verification(key), to_der(signature), digest));
}

bool verifies_rsa_pkcs1(EVP_PKEY* key, const char* digest_name, ByteView digest, ByteView signature) {
  return verifies_rsa(key, RSA_PKCS1_PADDING, digest_name, digest, signature);
}

bool verifies_rsa_pss(EVP_PKEY* key, const char* digest_name, ByteView digest, ByteView signature) {
  return verifies_rsa(key, RSA_PKCS1_PSS_PADDING, digest_name, digest, signature);
}

bool verifies_ed25519(EVP_PKEY* key, ByteView message, ByteView signature) {
  const std::unique_ptr<EVP_MD_CTX, Delete> context(EVP_MD_CTX_new());
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) return answer(0);
  return answer(
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()));
}

}  // namespace keystay::test
