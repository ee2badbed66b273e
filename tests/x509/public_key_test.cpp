#include "native/x509/public_key.h"

#include <gmock/gmock.h>

#include "native/pkcs11/curve.h"
#include "native/x509/der.h"
#include "native/x509/error.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

using pkcs11::Bytes;

// What libcrypto itself makes of the key.
Bytes libcrypto_spki(EVP_PKEY* key) {
  return to_der([key](unsigned char** out) { return i2d_PUBKEY(key, out); }, "i2d_PUBKEY");
}

class PublicKeyKinds : public CleanQueueTest, public testing::WithParamInterface<const char*> {};

TEST_P(PublicKeyKinds, ComeBackFromEveryForm) {
  const EvpPkey original = software_key(GetParam());
  const pkcs11::PublicKey key = from_evp_pkey(original.get());
  EXPECT_EQ(EVP_PKEY_eq(to_evp_pkey(key, nullptr).get(), original.get()), 1);
  EXPECT_EQ(from_evp_pkey(to_evp_pkey(key, nullptr).get()), key);
  EXPECT_EQ(from_spki(to_spki(key)), key);
}

TEST_P(PublicKeyKinds, HaveTheSubjectPublicKeyInfoThatLibcryptoWrites) {
  const EvpPkey original = software_key(GetParam());
  EXPECT_EQ(to_spki(from_evp_pkey(original.get())), libcrypto_spki(original.get()));
  EXPECT_EQ(from_spki(libcrypto_spki(original.get())), from_evp_pkey(original.get()));
}

TEST_P(PublicKeyKinds, AreRefusedWithBytesMissingOrAdded) {
  const Bytes spki = libcrypto_spki(software_key(GetParam()).get());
  for (std::size_t size = 0; size < spki.size(); ++size) {
    EXPECT_THROW((void)from_spki({spki.data(), size}), Error) << size;
  }
  Bytes longer = spki;
  longer.push_back(0);
  EXPECT_THROW((void)from_spki(longer), Error);
}

INSTANTIATE_TEST_SUITE_P(All, PublicKeyKinds,
                         testing::Values("RSA:2048", "RSA:3072", "EC:P-256", "EC:P-384", "EC:P-521",
                                         "EC:secp256k1", "EC:brainpoolP256r1", "EC:brainpoolP384r1",
                                         "EC:brainpoolP512r1", "ED25519", "ED448", "X25519"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase_if(name, [](char c) { return c == ':' || c == '-'; });
                           return name;
                         });

class PublicKeyTest : public CleanQueueTest {};

TEST_F(PublicKeyTest, HasNoLeadingZeroInAnRsaNumber) {
  const auto key = std::get<pkcs11::RsaPublicKey>(from_evp_pkey(software_key("RSA:2048").get()));
  EXPECT_EQ(key.modulus.size(), 256U);
  EXPECT_NE(key.modulus.front(), 0);
  EXPECT_EQ(key.public_exponent, (Bytes{1, 0, 1}));
}

// SEC 1, section 2.3.5: coordinates are as long as the field, leading zeros included.
TEST_F(PublicKeyTest, HasAnEcPointOfFullLengthWhateverItsCoordinatesBeginWith) {
  bool seen_leading_zero = false;
  for (int i = 0; i < 4000 && !seen_leading_zero; ++i) {
    const EvpPkey original = software_key("EC:P-256");
    const auto key = std::get<pkcs11::EcPublicKey>(from_evp_pkey(original.get()));
    ASSERT_EQ(key.point.size(), 65U);
    seen_leading_zero = key.point[1] == 0 || key.point[33] == 0;
    if (seen_leading_zero) {
      EXPECT_EQ(EVP_PKEY_eq(to_evp_pkey(key, nullptr).get(), original.get()), 1);
    }
  }
  EXPECT_TRUE(seen_leading_zero);
}

TEST_F(PublicKeyTest, IsTheSameKeyWhenItsPointIsCompressed) {
  const EvpPkey original = software_key("EC:P-256");
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(original.get(), "point-format", "compressed"), 1);
  const pkcs11::PublicKey key = from_evp_pkey(original.get());
  EXPECT_EQ(std::get<pkcs11::EcPublicKey>(key).point.size(), 65U);
  const Bytes compressed = libcrypto_spki(original.get());
  ASSERT_LT(compressed.size(), to_spki(key).size());
  EXPECT_EQ(from_spki(compressed), key);
}

TEST_F(PublicKeyTest, IsNothingForAnAlgorithmThatNoKeystayKeyHas) {
  for (const char* kind : {"X448", "EC:P-224"}) {
    const EvpPkey key = software_key(kind);
    EXPECT_EQ(supported_public_key(key.get()), std::nullopt) << kind;
    EXPECT_THROW((void)from_evp_pkey(key.get()), Error) << kind;
    EXPECT_THROW((void)from_spki(libcrypto_spki(key.get())), Error) << kind;
  }
}

TEST_F(PublicKeyTest, OfAnRsaPssKeyIsItsRsaKey) {
  const EvpPkey original = software_key("RSA-PSS");
  const pkcs11::PublicKey key = from_evp_pkey(original.get());
  EXPECT_TRUE(std::holds_alternative<pkcs11::RsaPublicKey>(key));
  EXPECT_EQ(from_spki(libcrypto_spki(original.get())), key);
}

TEST_F(PublicKeyTest, IsRefusedIfItsPointIsNotOnTheCurve) {
  auto key = std::get<pkcs11::EcPublicKey>(from_evp_pkey(software_key("EC:P-256").get()));
  key.point.back() ^= 1;
  EXPECT_THROW((void)to_evp_pkey(key, nullptr), Error);
  EXPECT_THROW((void)from_spki(to_spki(key)), Error);
}

TEST_F(PublicKeyTest, IsRefusedOnACurveThatNobodyKnows) {
  const Bytes unknown{0x06, 0x03, 0x2a, 0x03, 0x04};
  EXPECT_THROW((void)to_evp_pkey(pkcs11::EcPublicKey{unknown, {4}}, nullptr), Error);
  EXPECT_THROW((void)to_spki(pkcs11::EcPublicKey{unknown, {4}}), Error);
  EXPECT_THROW((void)to_evp_pkey(pkcs11::EdwardsPublicKey{unknown, {4}}, nullptr), Error);
}

// PKCS #11 lets a token name an Edwards curve by a PrintableString.
TEST_F(PublicKeyTest, KnowsAnEdwardsCurveByItsOtherName) {
  auto key = std::get<pkcs11::EdwardsPublicKey>(from_evp_pkey(software_key("ED25519").get()));
  const Bytes spki = to_spki(key);
  constexpr std::string_view name = "edwards25519";
  key.parameters = {0x13, static_cast<std::uint8_t>(name.size())};
  key.parameters.insert(key.parameters.end(), name.begin(), name.end());
  EXPECT_EQ(to_spki(key), spki);
}

}  // namespace
}  // namespace keystay::x509
