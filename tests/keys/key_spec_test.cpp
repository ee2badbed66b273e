// What key to generate, in keytool's words.
#include "native/keys/key_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/pkcs11/error.h"

namespace keystay::keys {
namespace {

using pkcs11::Error;
using testing::HasSubstr;

std::string_view curve(const KeySpec& spec) { return std::get<CurveSpec>(spec).curve->name; }
unsigned bits(const KeySpec& spec) { return std::get<RsaSpec>(spec).modulus_bits; }

TEST(KeySpec, OfRsaHasASize) {
  EXPECT_EQ(bits(key_spec("RSA", 2048, "")), 2048u);
  EXPECT_EQ(bits(key_spec("rsa", 4096, "")), 4096u);
  EXPECT_EQ(bits(key_spec("rsa", 8192, "")), 8192u);
  EXPECT_EQ(bits(key_spec("RSA", 0, "")), 3072u);
}

TEST(KeySpec, OfRsaRefusesSizesThatAreWeakOrOdd) {
  for (const unsigned size : {512u, 1024u, 2047u, 4097u, 8193u, 16384u}) {
    EXPECT_THROW((void)key_spec("RSA", size, ""), Error) << size;
  }
}

TEST(KeySpec, OfEcHasASizeOrAGroupName) {
  EXPECT_EQ(curve(key_spec("EC", 0, "")), "P-256");
  EXPECT_EQ(curve(key_spec("EC", 256, "")), "P-256");
  EXPECT_EQ(curve(key_spec("EC", 384, "")), "P-384");
  EXPECT_EQ(curve(key_spec("EC", 521, "")), "P-521");
  EXPECT_EQ(curve(key_spec("EC", 0, "secp384r1")), "P-384");
  EXPECT_EQ(curve(key_spec("ec", 0, "P-521")), "P-521");
}

TEST(KeySpec, OfEdwardsIsNamedByAlgorithmOrGroup) {
  EXPECT_EQ(curve(key_spec("Ed25519", 0, "")), "Ed25519");
  EXPECT_EQ(curve(key_spec("EdDSA", 0, "")), "Ed25519");
  EXPECT_EQ(curve(key_spec("EdDSA", 0, "Ed448")), "Ed448");
}

TEST(KeySpec, RefusesAGroupOfAnotherAlgorithm) {
  EXPECT_THROW((void)key_spec("EC", 0, "Ed25519"), Error);
  EXPECT_THROW((void)key_spec("EdDSA", 0, "P-256"), Error);
}

TEST(KeySpec, NamesWhatItAccepts) {
  const struct {
    const char* algorithm;
    unsigned size;
    const char* group;
    const char* hint;
  } wrong[] = {{"DSA", 2048, "", "RSA, EC"},
               {"EC", 255, "", "256, 384"},
               {"EC", 0, "P-255", "P-256"},
               {"RSA", 1024, "", "2048 to 8192"}};
  for (const auto& [algorithm, size, group, hint] : wrong) {
    try {
      (void)key_spec(algorithm, size, group);
      ADD_FAILURE() << "accepted: " << algorithm << " " << size << " " << group;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(hint));
      EXPECT_EQ(error.error_class(), pkcs11::ErrorClass::client);
    }
  }
}

}  // namespace
}  // namespace keystay::keys
