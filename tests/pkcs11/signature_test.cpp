// Each mechanism makes the signature that its section of the standard describes; libcrypto verifies it.
#include <algorithm>
#include <vector>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

struct DigestInfo {
  Hash hash;
  const char* name;  // OpenSSL's
  std::size_t size;
  Bytes prefix;  // RFC 8017, section 9.2, note 1
};

const std::vector<DigestInfo>& digests() {
  static const std::vector<DigestInfo> all{
      {Hash::sha1,
       "SHA1",
       20,
       {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}},
      {Hash::sha224,
       "SHA224",
       28,
       {0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05, 0x00,
        0x04, 0x1c}},
      {Hash::sha256,
       "SHA256",
       32,
       {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
        0x04, 0x20}},
      {Hash::sha384,
       "SHA384",
       48,
       {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
        0x04, 0x30}},
      {Hash::sha512,
       "SHA512",
       64,
       {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
        0x04, 0x40}},
  };
  return all;
}

class RsaSignature : public TokenTest {
 protected:
  RsaSignature() {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "02"});
    rsa_ = test::read_public_key(hsm_, "rsa");
  }

  Bytes sign(const SignMechanism& mechanism, ByteView data) {
    Bytes signature(256);
    signature.resize(token_->perform(reference_, Sign{mechanism}, data, signature, token_->deadline()));
    return signature;
  }

  KeyReference reference_{{0x02}, "rsa", CKK_RSA, std::nullopt};
  test::Openssl<EVP_PKEY> rsa_;
  std::shared_ptr<Token> token_ = token();
};

TEST_F(RsaSignature, Pkcs1IsOverADigestInfo) {
  for (const DigestInfo& digest : digests()) {
    const Bytes value(digest.size, 0x5a);
    Bytes info = digest.prefix;
    info.insert(info.end(), value.begin(), value.end());
    EXPECT_TRUE(test::verifies_rsa_pkcs1(rsa_.get(), digest.name, value, sign(RsaPkcs{}, info)))
        << digest.name;
  }
}

TEST_F(RsaSignature, PssIsOverADigestWithItsHashAndSalt) {
  for (const DigestInfo& digest : digests()) {
    const Bytes value(digest.size, 0x5a);
    const Bytes signature = sign(RsaPss{digest.hash, digest.hash, digest.size}, value);
    EXPECT_TRUE(test::verifies_rsa_pss(rsa_.get(), digest.name, value, signature)) << digest.name;
  }
}

TEST_F(RsaSignature, X509IsTheBareOperationOnAPaddedBlock) {
  Bytes block(256, 0xff);  // RFC 8017, section 9.2: 00 01 ff… 00 DigestInfo
  block[0] = 0x00;
  block[1] = 0x01;
  const DigestInfo& sha256 = digests()[2];
  const Bytes value(sha256.size, 0x5a);
  auto end = std::copy(sha256.prefix.begin(), sha256.prefix.end(),
                       block.end() - static_cast<std::ptrdiff_t>(sha256.prefix.size() + value.size()));
  std::copy(value.begin(), value.end(), end);
  block[256 - sha256.prefix.size() - value.size() - 1] = 0x00;
  EXPECT_TRUE(test::verifies_rsa_pkcs1(rsa_.get(), "SHA256", value, sign(RsaX509{}, block)));
}

TEST_F(RsaSignature, BufferThatIsTooSmallIsTheClientsErrorAndHarmsNoOther) {
  const Bytes value(32);
  Bytes small(16);
  const std::optional<Error> error = error_of([&] {
    token_->perform(reference_, Sign{RsaPss{Hash::sha256, Hash::sha256, 32}}, value, small,
                    token_->deadline());
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_BUFFER_TOO_SMALL);
  // The operation stays active in that session (PKCS #11 v3.0, section 5.2): it must not be lent again.
  EXPECT_TRUE(verifies(TokenTest::sign(*token_)));
}

TEST_F(RsaSignature, IsNotMadeWithAKeyOfAnotherType) {
  const KeyReference wrong({0x01}, "httpd", CKK_RSA, std::nullopt);
  Bytes signature(256);
  const std::optional<Error> error =
      error_of([&] { token_->perform(wrong, Sign{RsaPkcs{}}, kDigest, signature, token_->deadline()); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
}

class EcdsaSignature : public TokenTest {};

TEST_F(EcdsaSignature, IsMadeOnEveryNistCurve) {
  const struct {
    const char* type;  // pkcs11-tool's
    const char* id;    // hexadecimal
    Bytes bytes;
    std::size_t size;
  } keys[] = {{"EC:prime256v1", "11", {0x11}, 64},
              {"EC:secp384r1", "12", {0x12}, 96},
              {"EC:secp521r1", "13", {0x13}, 132}};
  for (const auto& key : keys) {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", key.type, "--label", key.type, "--id", key.id});
  }
  const auto token = this->token();
  for (const auto& key : keys) {
    Bytes signature(key.size);
    EXPECT_EQ(token->perform(ec_reference(key.type, key.bytes), Sign{Ecdsa{}}, kDigest, signature,
                             token->deadline()),
              key.size);
    EXPECT_TRUE(test::verifies_ecdsa(test::read_public_key(hsm_, key.type).get(), kDigest, signature))
        << key.type;
  }
}

TEST_F(EcdsaSignature, OfTheSameDigestDiffersEachTime) {
  const auto token = this->token();
  EXPECT_NE(sign(*token), sign(*token));
}

class Supports : public TokenTest {};

TEST_F(Supports, WhatTheTokenListsForSigning) {
  const auto token = this->token();
  EXPECT_TRUE(token->supports(Sign{Ecdsa{}}));
  EXPECT_TRUE(token->supports(Sign{RsaPkcs{}}));
  EXPECT_TRUE(token->supports(Sign{RsaX509{}}));
  EXPECT_TRUE(token->supports(Sign{RsaPss{Hash::sha256, Hash::sha256, 32}}));
  EXPECT_TRUE(token->supports(Sign{EdDsa{}}));
}

TEST_F(Supports, WhatTheTokenListsForDecryption) {
  const auto token = this->token();
  EXPECT_TRUE(token->supports(Decrypt{RsaX509{}}));
  EXPECT_TRUE(token->supports(Decrypt{RsaOaep{Hash::sha1, Hash::sha1, {}}}));
}

TEST_F(Supports, NothingThatTheTokenDoesNotList) {
  faults_.fail(Function::C_GetMechanismInfo, CKR_MECHANISM_INVALID);
  EXPECT_FALSE(token()->supports(Sign{RsaPss{Hash::sha256, Hash::sha256, 32}}));
  faults_.fail(Function::C_GetMechanismInfo, CKR_MECHANISM_INVALID);
  EXPECT_FALSE(token()->supports(Decrypt{RsaX509{}}));
}

TEST_F(Supports, DoesNotTakeASickTokensWordForNo) {
  const auto token = this->token();
  faults_.fail(Function::C_GetMechanismInfo, CKR_DEVICE_ERROR);
  const std::optional<Error> error = error_of([&] { (void)token->supports(Sign{Ecdsa{}}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DEVICE_ERROR);
  EXPECT_TRUE(token->supports(Sign{Ecdsa{}}));
}

}  // namespace
}  // namespace keystay::pkcs11
