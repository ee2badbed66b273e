#include "native/x509/private_key_parts.h"

#include <array>
#include <cstdint>
#include <vector>

#include <openssl/core_names.h>

#include "native/x509/error.h"
#include "native/x509/errors_set_aside.h"
#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::WipedText;
using Parts = std::array<WipedText, 6>;

// In the order of keys::SoftwareKey.
constexpr std::array<const char*, 6> kRsaParts = {
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

using SecretNumber = Owned<BIGNUM, BN_clear_free>;

WipedText number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return {};
  const SecretNumber owned(value);
  WipedText bytes(static_cast<std::size_t>(BN_num_bytes(value)));
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

Parts rsa_parts(const EVP_PKEY* key) {
  if (!number(key, OSSL_PKEY_PARAM_RSA_FACTOR3).empty())
    throw Error("an RSA key of more than two primes can be on no token");
  Parts parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = number(key, kRsaParts[i]);
    if (parts[i].empty())
      throw Error("the RSA key lacks " + std::string(kRsaParts[i]) +
                  "; tokens want its primes and exponents (RFC 8017, section 3.2, the second form)");
  }
  return parts;
}

WipedText raw_private_key(const EVP_PKEY* key) {
  std::size_t size = 0;
  if (EVP_PKEY_get_raw_private_key(key, nullptr, &size) != 1) throw openssl_error("there is no private key");
  WipedText bytes(size);
  if (EVP_PKEY_get_raw_private_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1)
    throw openssl_error("cannot read the private key");
  return bytes;
}

Parts parts_of(const EVP_PKEY* key, const pkcs11::PublicKey& public_key) {
  const CK_KEY_TYPE type = pkcs11::key_type(public_key);
  if (type == CKK_RSA) return rsa_parts(key);
  Parts parts;
  parts.front() = type == CKK_EC ? number(key, OSSL_PKEY_PARAM_PRIV_KEY) : raw_private_key(key);
  if (parts.front().empty()) throw Error("there is no private key");
  return parts;
}

// The usual digest of its algorithm, none for Ed25519 and Ed448.
bool signs_for(EVP_PKEY* key, EVP_PKEY* public_key) {
  constexpr std::array<unsigned char, 32> kMessage{};
  const EvpMdContext signing(EVP_MD_CTX_new());
  const EvpMdContext verifying(EVP_MD_CTX_new());
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  std::vector<unsigned char> signature(size);
  return signing && verifying &&
         EVP_DigestSignInit_ex(signing.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) == 1 &&
         EVP_DigestSign(signing.get(), signature.data(), &size, kMessage.data(), kMessage.size()) == 1 &&
         EVP_DigestVerifyInit_ex(verifying.get(), nullptr, nullptr, nullptr, nullptr, public_key, nullptr) ==
             1 &&
         EVP_DigestVerify(verifying.get(), signature.data(), size, kMessage.data(), kMessage.size()) == 1;
}

void require_pair(EVP_PKEY* key, const pkcs11::PublicKey& public_key) {
  if (pkcs11::signature_size(public_key) == 0) return;  // X25519: it cannot sign, and is refused for that
  // The digests and the padding of a key for RSASSA-PSS are its own.
  const EvpPkey verifier = EVP_PKEY_is_a(key, "RSA-PSS") == 1 ? nullptr : to_evp_pkey(public_key, nullptr);
  if (!signs_for(key, verifier ? verifier.get() : key))
    throw Error("the private key does not fit the public key beside it; the file is damaged");
}

}  // namespace

PrivateKeyParts::PrivateKeyParts(EVP_PKEY* key) : public_key_(from_evp_pkey(key)) {
  const ErrorsSetAside others;
  private_half_ = parts_of(key, public_key_);
  require_pair(key, public_key_);
}

keys::SoftwareKey PrivateKeyParts::software_key() const {
  keys::SoftwareKey result{.public_key = public_key_, .private_half = {}};
  for (const WipedText& part : private_half_) {
    if (part.empty()) break;
    result.private_half.emplace_back(reinterpret_cast<const std::uint8_t*>(part.view().data()),
                                     part.view().size());
  }
  return result;
}

}  // namespace keystay::x509
