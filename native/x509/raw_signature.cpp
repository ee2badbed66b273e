#include "native/x509/raw_signature.h"

#include <array>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "native/x509/ecdsa_signature.h"
#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::ByteView;

// In the order of pkcs11::Hash.
constexpr std::array kDigests = {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512"};

constexpr std::size_t kLongestEcdsa = 2 * 66;  // bytes, of P-521

const char* name_of(pkcs11::Hash hash) { return kDigests.at(static_cast<std::size_t>(hash)); }

struct Verification {
  EVP_PKEY* key;
  ByteView data;
  ByteView signature;
  OSSL_LIB_CTX* libctx;

  bool operator()(pkcs11::RsaPkcs) const { return verify_rsa(RSA_PKCS1_PADDING, nullptr); }
  bool operator()(pkcs11::RsaX509) const { return verify_rsa(RSA_NO_PADDING, nullptr); }
  bool operator()(const pkcs11::RsaPss& pss) const { return verify_rsa(RSA_PKCS1_PSS_PADDING, &pss); }

  bool operator()(pkcs11::Ecdsa) const {
    if (signature.empty() || signature.size() % 2 != 0 || signature.size() > kLongestEcdsa) return false;
    std::array<std::uint8_t, kLongestEcdsaDer> der;
    const std::size_t size = encode_ecdsa(signature, der);
    return verify(begin().get(), ByteView(der).first(size));
  }

  bool operator()(pkcs11::EdDsa) const {
    const EvpMdContext context(EVP_MD_CTX_new());
    if (!context ||
        EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, libctx, nullptr, key, nullptr) != 1)
      throw openssl_error("EVP_DigestVerifyInit_ex");
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1;
  }

 private:
  [[nodiscard]] EvpPkeyContext begin() const {
    EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(libctx, key, nullptr));
    if (!context || EVP_PKEY_verify_init(context.get()) != 1) throw openssl_error("EVP_PKEY_verify_init");
    return context;
  }

  [[nodiscard]] bool verify_rsa(int padding, const pkcs11::RsaPss* pss) const {
    const EvpPkeyContext context = begin();
    if (EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) != 1)
      throw openssl_error("EVP_PKEY_CTX_set_rsa_padding");
    if (pss && (EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), static_cast<int>(pss->salt_length)) != 1 ||
                set_digests(context.get(), *pss) != 1)) {
      throw openssl_error("RSASSA-PSS");
    }
    return verify(context.get(), signature);
  }

  [[nodiscard]] int set_digests(EVP_PKEY_CTX* context, const pkcs11::RsaPss& pss) const {
    const EvpMd digest(EVP_MD_fetch(libctx, name_of(pss.hash), nullptr));
    if (!digest || EVP_PKEY_CTX_set_signature_md(context, digest.get()) != 1) return 0;
    return EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, name_of(pss.mgf1), nullptr);
  }

  [[nodiscard]] bool verify(EVP_PKEY_CTX* context, ByteView encoded) const {
    return EVP_PKEY_verify(context, encoded.data(), encoded.size(), data.data(), data.size()) == 1;
  }
};

}  // namespace

bool verifies(const pkcs11::PublicKey& key, const pkcs11::SignMechanism& mechanism, ByteView data,
              ByteView signature, OSSL_LIB_CTX* libctx) {
  const ErrorsSetAside errors;
  const EvpPkey evp_key = to_evp_pkey(key, libctx);
  const bool is_right = std::visit(Verification{evp_key.get(), data, signature, libctx}, mechanism);
  ERR_clear_error();  // a "no" has its reasons there
  return is_right;
}

}  // namespace keystay::x509
