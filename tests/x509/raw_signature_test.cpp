// Signatures in the form of PKCS #11, made by libcrypto's own functions for signing.
#include "native/x509/raw_signature.h"

#include <vector>

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "native/x509/public_key.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;

struct Signed {
  const char* name;
  const char* algorithm;
  const char* parameter;  // bits, or curve
  pkcs11::SignMechanism mechanism;
  std::size_t data_size;
};

void PrintTo(const Signed& value, std::ostream* stream) { *stream << value.name; }

EvpPkey make_key(const Signed& value) {
  if (std::string_view(value.algorithm) == "RSA")
    return EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048}));
  if (std::string_view(value.algorithm) == "EC")
    return EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", value.parameter));
  return EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, value.algorithm));
}

// r || s, each as long as the order.
Bytes raw_ecdsa(const Bytes& der, int half) {
  const unsigned char* in = der.data();
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()));
  Bytes raw(static_cast<std::size_t>(2 * half));
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw.data(), half);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw.data() + half, half);
  ECDSA_SIG_free(signature);
  return raw;
}

Bytes sign(EVP_PKEY* key, const Signed& value, const Bytes& data) {
  Bytes signature(1024);
  std::size_t size = signature.size();
  if (std::holds_alternative<pkcs11::EdDsa>(value.mechanism)) {
    const EvpMdContext context(EVP_MD_CTX_new());
    EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key), 1);
    EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()), 1);
  } else {
    const EvpPkeyContext context(EVP_PKEY_CTX_new(key, nullptr));
    EXPECT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    if (std::holds_alternative<pkcs11::RsaX509>(value.mechanism)) {
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING);
    }
    if (std::holds_alternative<pkcs11::RsaPss>(value.mechanism)) {
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha384());
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), 20);
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256());
    }
    EXPECT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, data.data(), data.size()), 1);
  }
  signature.resize(size);
  if (std::holds_alternative<pkcs11::Ecdsa>(value.mechanism))
    return raw_ecdsa(signature, (EVP_PKEY_get_bits(key) + 7) / 8);
  return signature;
}

class RawSignature : public testing::TestWithParam<Signed> {};

TEST_P(RawSignature, IsRightOrWrong) {
  const EvpPkey key = make_key(GetParam());
  const pkcs11::PublicKey public_key = from_evp_pkey(key.get());
  Bytes data(GetParam().data_size, 0x5a);
  data.front() = 0;  // below the modulus
  const Bytes signature = sign(key.get(), GetParam(), data);
  const auto is_right = [&](const pkcs11::PublicKey& by, const Bytes& of, const Bytes& made) {
    return verifies(by, GetParam().mechanism, of, made, nullptr);
  };
  EXPECT_TRUE(is_right(public_key, data, signature));

  Bytes other = data;
  other.back() ^= 1;
  EXPECT_FALSE(is_right(public_key, other, signature));
  for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
    Bytes changed = signature;
    changed.at(at) ^= 1;
    EXPECT_FALSE(is_right(public_key, data, changed)) << at;
  }
  EXPECT_FALSE(is_right(public_key, data, Bytes(signature.size())));
  EXPECT_FALSE(is_right(public_key, data, {}));
  EXPECT_FALSE(is_right(public_key, data, Bytes(signature.begin(), signature.end() - 1)));
  EXPECT_FALSE(is_right(public_key, data, Bytes(2000, 1)));
  const EvpPkey another = make_key(GetParam());
  EXPECT_FALSE(is_right(from_evp_pkey(another.get()), data, signature));
  EXPECT_EQ(ERR_peek_error(), 0U) << "an answer leaves no error";
}

INSTANTIATE_TEST_SUITE_P(
    Mechanism, RawSignature,
    testing::Values(Signed{"RsaPkcs", "RSA", "", pkcs11::RsaPkcs{}, 51},
                    Signed{"RsaX509", "RSA", "", pkcs11::RsaX509{}, 256},
                    Signed{"RsaPss", "RSA", "",
                           pkcs11::RsaPss{pkcs11::Hash::sha384, pkcs11::Hash::sha256, 20}, 48},
                    Signed{"P256", "EC", "P-256", pkcs11::Ecdsa{}, 32},
                    Signed{"P521", "EC", "P-521", pkcs11::Ecdsa{}, 64},
                    Signed{"Ed25519", "ED25519", "", pkcs11::EdDsa{}, 100},
                    Signed{"Ed448", "ED448", "", pkcs11::EdDsa{}, 100}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace keystay::x509
