#include "native/x509/signature_algorithm.h"

#include <gmock/gmock.h>

#include "native/x509/error.h"
#include "native/x509/public_key.h"
#include "tests/x509/fixture.h"

namespace keystay::x509 {
namespace {

class SignatureAlgorithmTest : public CleanQueueTest {};

std::string_view usual(const std::string& kind) {
  return signature_algorithm("", from_evp_pkey(software_key(kind).get())).name;
}

TEST_F(SignatureAlgorithmTest, IsAsStrongAsTheKeyUnlessItIsNamed) {
  EXPECT_EQ(usual("RSA:2048"), "SHA256withRSA");
  EXPECT_EQ(usual("RSA:3072"), "SHA256withRSA");
  EXPECT_EQ(usual("RSA:4096"), "SHA384withRSA");
  EXPECT_EQ(usual("EC:P-256"), "SHA256withECDSA");
  EXPECT_EQ(usual("EC:P-384"), "SHA384withECDSA");
  EXPECT_EQ(usual("EC:P-521"), "SHA512withECDSA");
  EXPECT_EQ(usual("ED25519"), "Ed25519");
  EXPECT_EQ(usual("ED448"), "Ed448");
}

TEST_F(SignatureAlgorithmTest, IsNamedInAnyLetterCase) {
  const pkcs11::PublicKey key = from_evp_pkey(software_key("RSA:2048").get());
  EXPECT_EQ(signature_algorithm("sha512WITHrsa", key).name, "SHA512withRSA");
}

TEST_F(SignatureAlgorithmTest, IsRefusedIfTheKeyCannotMakeIt) {
  const pkcs11::PublicKey rsa = from_evp_pkey(software_key("RSA:2048").get());
  const pkcs11::PublicKey ed25519 = from_evp_pkey(software_key("ED25519").get());
  EXPECT_THAT([&] { static_cast<void>(signature_algorithm("SHA256withECDSA", rsa)); },
              testing::ThrowsMessage<Error>(testing::StartsWith(
                  "signature algorithm \"SHA256withECDSA\" does not fit the key; it can make "
                  "SHA256withRSA, SHA384withRSA, SHA512withRSA")));
  EXPECT_THAT(
      [&] { static_cast<void>(signature_algorithm("SHA1withRSA", rsa)); },
      testing::ThrowsMessage<Error>(testing::HasSubstr("unknown signature algorithm \"SHA1withRSA\"")));
  EXPECT_THAT([&] { static_cast<void>(signature_algorithm("Ed448", ed25519)); },
              testing::ThrowsMessage<Error>(
                  "signature algorithm \"Ed448\" does not fit the key; it can make Ed25519"));
}

}  // namespace
}  // namespace keystay::x509
