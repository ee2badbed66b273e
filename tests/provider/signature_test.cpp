// Signatures by keys on a token, verified by libcrypto's default provider.
#include <array>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "provider/signature/digest.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using provider::digests;
using testing::HasSubstr;

class SignatureTest : public ProviderTest {
 protected:
  LibraryContext context_;
  EvpPkey rsa_ = context_.load("keystay:rsa");
  EvpPkey ec_ = context_.load("keystay:ec");
  EvpPkey rsa_public_ = public_key("rsa");
  EvpPkey ec_public_ = public_key("ec");
  Bytes message_ = bytes_of("to be signed");
};

TEST_F(SignatureTest, RsaPkcs1SignsWithEveryDigest) {
  for (const auto& digest : digests()) {
    const auto signature = sign(context_, rsa_.get(), digest.name.data(), message_);
    ASSERT_TRUE(signature) << digest.name << take_errors();
    EXPECT_TRUE(verifies(rsa_public_.get(), digest.name.data(), message_, *signature)) << digest.name;
  }
}

TEST_F(SignatureTest, PssSignsWithEveryDigestAndSaltLength) {
  for (const auto& digest : digests()) {
    if (digest.name == "MD5-SHA1") continue;  // has no AlgorithmIdentifier
    for (const int salt : {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, RSA_PSS_SALTLEN_AUTO, 0, 17}) {
      const auto signature = sign(context_, rsa_.get(), digest.name.data(), message_, pss(salt));
      ASSERT_TRUE(signature) << digest.name << " salt " << salt << take_errors();
      const int expected = salt == RSA_PSS_SALTLEN_AUTO ? RSA_PSS_SALTLEN_MAX : salt;
      EXPECT_TRUE(verifies(rsa_public_.get(), digest.name.data(), message_, *signature, pss(expected)))
          << digest.name << " salt " << salt;
    }
  }
}

// RSA-2048 and SHA-256 leave 256 - 32 - 2 bytes. That is no failure of the token, which is not asked.
TEST_F(SignatureTest, PssWithASaltThatDoesNotFitIsRefusedByItsLength) {
  EXPECT_TRUE(sign(context_, rsa_.get(), "SHA256", message_, pss(222))) << take_errors();
  for (const int salt : {223, 224, 256, 100000}) {
    EXPECT_FALSE(sign(context_, rsa_.get(), "SHA256", message_, pss(salt))) << salt;
    EXPECT_THAT(take_errors(),
                testing::AllOf(testing::HasSubstr("a salt of " + std::to_string(salt) + " bytes"),
                               testing::HasSubstr("at most 222"), testing::Not(testing::HasSubstr("token"))));
  }
}

TEST_F(SignatureTest, PssTakesAnotherDigestForMgf1) {
  const auto signature = sign(context_, rsa_.get(), "SHA256", message_, pss(32, "SHA512"));
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(rsa_public_.get(), "SHA256", message_, *signature, pss(32, "SHA512")));
  EXPECT_FALSE(verifies(rsa_public_.get(), "SHA256", message_, *signature, pss(32)));
}

// SoftHSM is such a token, once the fault module says that it lacks CKM_RSA_X_509. TLS and others negotiate:
// they must hear it while another scheme can be chosen.
TEST_F(SignatureTest, PssWithAnotherDigestForMgf1IsRefusedAtItsBeginningWhereTheTokenCannot) {
  faults().fail(Function::C_GetMechanismInfo, CKR_MECHANISM_INVALID);
  faults().reset_calls();
  const EvpMdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT_EQ(EVP_DigestSignInit_ex(context.get(), &parameters, "SHA256", context_.get(), nullptr, rsa_.get(),
                                  nullptr),
            1);
  ASSERT_GT(pss(32)(parameters), 0) << take_errors();
  EXPECT_LE(EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, "SHA512", nullptr), 0);
  EXPECT_THAT(take_errors(),
              testing::AllOf(testing::HasSubstr("MGF1 over SHA2-512"), testing::HasSubstr("CKM_RSA_X_509"),
                             testing::HasSubstr("rsa_mgf1_md")));
  EXPECT_EQ(faults().calls(Function::C_SignInit), 0u);

  // In one call, as OpenSSL's programs give what a configuration says.
  char pad[] = "pss";
  char mgf1[] = "SHA512";
  const OSSL_PARAM both[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, pad, 0),
                             OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1, 0),
                             OSSL_PARAM_construct_end()};
  const EvpMdContext second(EVP_MD_CTX_new());
  EXPECT_NE(EVP_DigestSignInit_ex(second.get(), nullptr, "SHA256", context_.get(), nullptr, rsa_.get(), both),
            1);
  EXPECT_THAT(take_errors(), testing::HasSubstr("MGF1 over SHA2-512"));

  // What the token can is not refused with it, in whatever order it is said.
  EXPECT_TRUE(sign(context_, rsa_.get(), "SHA256", message_, pss(32, "SHA256"))) << take_errors();
  const EvpPkeyContext bare(EVP_PKEY_CTX_new_from_pkey(context_.get(), rsa_.get(), nullptr));
  EXPECT_EQ(EVP_PKEY_sign_init(bare.get()), 1);
  EXPECT_GT(EVP_PKEY_CTX_set_rsa_padding(bare.get(), RSA_PKCS1_PSS_PADDING), 0);
  EXPECT_GT(EVP_PKEY_CTX_set_rsa_mgf1_md_name(bare.get(), "SHA512", nullptr), 0) << take_errors();
  EXPECT_GT(EVP_PKEY_CTX_set_signature_md(bare.get(), EVP_sha512()), 0) << take_errors();
}

TEST_F(SignatureTest, EcdsaSignsWithEveryDigestOfItsStandards) {
  for (const char* digest : {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512"}) {
    const auto signature = sign(context_, ec_.get(), digest, message_);
    ASSERT_TRUE(signature) << digest << take_errors();
    EXPECT_TRUE(verifies(ec_public_.get(), digest, message_, *signature)) << digest;
  }
}

// r or s begins with a zero byte, or with a bit that DER must pad, in most of these.
TEST_F(SignatureTest, EcdsaSignaturesAreAlwaysGoodDer) {
  for (int i = 0; i < 300; ++i) {
    const Bytes message = bytes_of(std::to_string(i));
    const auto signature = sign(context_, ec_.get(), "SHA256", message);
    ASSERT_TRUE(signature) << take_errors();
    ASSERT_TRUE(verifies(ec_public_.get(), "SHA256", message, *signature)) << i;
  }
}

TEST_F(SignatureTest, EcdsaSignsOnEveryCurve) {
  int id = 30;
  for (const std::string curve :
       {"secp384r1", "secp521r1", "secp256k1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"}) {
    token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:" + curve, "--label", curve, "--id", std::to_string(id++)});
    const EvpPkey key = context_.load("keystay:" + curve);
    ASSERT_TRUE(key) << take_errors();
    const auto signature = sign(context_, key.get(), "SHA512", message_);
    ASSERT_TRUE(signature) << curve << take_errors();
    EXPECT_TRUE(verifies(public_key(curve).get(), "SHA512", message_, *signature)) << curve;
  }
}

TEST_F(SignatureTest, StreamingAndOneStepSignTheSameMessage) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    const auto signature = sign_streaming(context_, key, "SHA256", message_);
    ASSERT_TRUE(signature) << take_errors();
    EXPECT_TRUE(
        verifies(key == rsa_.get() ? rsa_public_.get() : ec_public_.get(), "SHA256", message_, *signature));
  }
}

TEST_F(SignatureTest, AnEmptyMessageIsSigned) {
  const auto streamed = sign_streaming(context_, ec_.get(), "SHA256", {});
  ASSERT_TRUE(streamed) << take_errors();
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", {}, *streamed));
}

TEST_F(SignatureTest, ADigestIsSignedAsIt) {
  std::array<std::uint8_t, 32> digest{};
  SHA256(message_.data(), message_.size(), digest.data());
  const auto with_sha256 = [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
  };
  const auto rsa = sign_digest(context_, rsa_.get(), digest, with_sha256);
  ASSERT_TRUE(rsa) << take_errors();
  EXPECT_TRUE(verifies(rsa_public_.get(), "SHA256", message_, *rsa));
  const auto ec = sign_digest(context_, ec_.get(), digest);
  ASSERT_TRUE(ec) << take_errors();
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", message_, *ec));
}

// TLS 1.2 clients without extensions, and PKCS #1 signatures whose DigestInfo the caller made.
TEST_F(SignatureTest, RsaWithoutADigestSignsWhatItIsGiven) {
  const Bytes data(36, 0x5a);
  const auto signature = sign_digest(context_, rsa_.get(), data);
  ASSERT_TRUE(signature) << take_errors();
  const EvpPkeyContext recover(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa_public_.get(), nullptr));
  Bytes recovered(256);
  std::size_t size = recovered.size();
  ASSERT_EQ(EVP_PKEY_verify_recover_init(recover.get()), 1);
  ASSERT_EQ(
      EVP_PKEY_verify_recover(recover.get(), recovered.data(), &size, signature->data(), signature->size()),
      1);
  recovered.resize(size);
  EXPECT_EQ(recovered, data);
}

TEST_F(SignatureTest, RsaWithoutPaddingSignsAWholeBlock) {
  Bytes block(256, 0x01);
  const auto raw = [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING);
  };
  const auto signature = sign_digest(context_, rsa_.get(), block, raw);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_FALSE(sign_digest(context_, rsa_.get(), Bytes(255, 0x01), raw));
  EXPECT_THAT(take_errors(), HasSubstr("exactly as many bytes as the modulus has"));
}

TEST_F(SignatureTest, ADigestOfAnotherLengthIsRefused) {
  const auto with_sha256 = [](EVP_PKEY_CTX* context) {
    return EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
  };
  EXPECT_FALSE(sign_digest(context_, rsa_.get(), Bytes(20), with_sha256));
  EXPECT_THAT(take_errors(), HasSubstr("another length than SHA2-256"));
}

TEST_F(SignatureTest, AnUnknownDigestIsRefusedByName) {
  EXPECT_FALSE(sign(context_, ec_.get(), "SM3", message_));
  EXPECT_THAT(take_errors(), HasSubstr("\"SM3\""));
}

// Pitfall: OpenSSL 3.0 duplicates the context before each EVP_DigestSignFinal.
TEST_F(SignatureTest, ADuplicatedContextSignsOnItsOwn) {
  const EvpMdContext original(EVP_MD_CTX_new());
  ASSERT_EQ(
      EVP_DigestSignInit_ex(original.get(), nullptr, "SHA256", context_.get(), nullptr, ec_.get(), nullptr),
      1);
  ASSERT_EQ(EVP_DigestSignUpdate(original.get(), "one ", 4), 1);
  const EvpMdContext copy(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_MD_CTX_copy_ex(copy.get(), original.get()), 1);
  ASSERT_EQ(EVP_DigestSignUpdate(original.get(), "two", 3), 1);
  ASSERT_EQ(EVP_DigestSignUpdate(copy.get(), "three", 5), 1);

  std::array<std::uint8_t, 80> signature;
  std::size_t size = signature.size();
  ASSERT_EQ(EVP_DigestSignFinal(original.get(), signature.data(), &size), 1);
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", bytes_of("one two"), std::span(signature).first(size)));
  size = signature.size();
  ASSERT_EQ(EVP_DigestSignFinal(copy.get(), signature.data(), &size), 1);
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", bytes_of("one three"), std::span(signature).first(size)));
}

TEST_F(SignatureTest, ParametersOutliveADuplicate) {
  const EvpPkeyContext original(EVP_PKEY_CTX_new_from_pkey(context_.get(), rsa_.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_sign_init(original.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_rsa_padding(original.get(), RSA_PKCS1_PSS_PADDING), 1);
  const EvpPkeyContext copy(EVP_PKEY_CTX_dup(original.get()));
  int padding = 0;
  ASSERT_GT(EVP_PKEY_CTX_get_rsa_padding(copy.get(), &padding), 0);
  EXPECT_EQ(padding, RSA_PKCS1_PSS_PADDING);
}

TEST_F(SignatureTest, TheKeyVerifiesItsOwnSignatures) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    auto signature = sign(context_, key, "SHA256", message_);
    ASSERT_TRUE(signature);
    for (const bool good : {true, false}) {
      if (!good) signature->back() ^= 1;
      const EvpMdContext verification(EVP_MD_CTX_new());
      ASSERT_EQ(EVP_DigestVerifyInit_ex(verification.get(), nullptr, "SHA256", context_.get(), nullptr, key,
                                        nullptr),
                1);
      EXPECT_EQ(EVP_DigestVerify(verification.get(), signature->data(), signature->size(), message_.data(),
                                 message_.size()),
                good ? 1 : 0);
    }
    ERR_clear_error();
  }
}

// X509_sign, X509_REQ_sign and CMS ask for it.
TEST_F(SignatureTest, CertificatesCanBeSigned) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    const X509Certificate certificate(X509_new());
    ASSERT_EQ(X509_set_pubkey(certificate.get(), key), 1);
    ASSERT_TRUE(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0));
    ASSERT_TRUE(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600));
    ASSERT_GT(X509_sign(certificate.get(), key, EVP_sha384()), 0) << take_errors();
    EVP_PKEY* public_key = key == rsa_.get() ? rsa_public_.get() : ec_public_.get();
    EXPECT_EQ(X509_verify(certificate.get(), public_key), 1) << take_errors();
  }
}

TEST_F(SignatureTest, PssCertificatesCarryTheParametersOfTheSignature) {
  const X509Certificate certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), rsa_.get()), 1);
  const EvpMdContext operation(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT_EQ(EVP_DigestSignInit_ex(operation.get(), &parameters, "SHA256", context_.get(), nullptr, rsa_.get(),
                                  nullptr),
            1);
  ASSERT_EQ(pss(RSA_PSS_SALTLEN_DIGEST)(parameters), 1);
  ASSERT_GT(X509_sign_ctx(certificate.get(), operation.get()), 0) << take_errors();
  EXPECT_EQ(X509_get_signature_nid(certificate.get()), NID_rsassaPss);
  EXPECT_EQ(X509_verify(certificate.get(), rsa_public_.get()), 1) << take_errors();
}

// The rules of the default provider: what it refuses is refused, in the same call.
TEST_F(SignatureTest, ParametersFollowTheDefaultProvider) {
  for (EVP_PKEY* key : {rsa_.get(), rsa_public_.get()}) {
    OSSL_LIB_CTX* library = key == rsa_.get() ? context_.get() : nullptr;
    const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    EXPECT_LE(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING), 0);
    EXPECT_LE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), 20), 0);  // before the padding
    EXPECT_GT(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING), 0);
    EXPECT_GT(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), 20), 0);
    EXPECT_LE(EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), -9), 0);
    int salt = 0;
    EXPECT_GT(EVP_PKEY_CTX_get_rsa_pss_saltlen(context.get(), &salt), 0);
    EXPECT_EQ(salt, 20);
    ERR_clear_error();
  }
}

TEST_F(SignatureTest, ADigestHasEveryNameThatLibcryptoHasForIt) {
  for (const char* name : {"sha256", "SHA2-256", "2.16.840.1.101.3.4.2.1", "RIPEMD"}) {
    for (const auto& [key, peer] :
         {std::pair(rsa_.get(), rsa_public_.get()), std::pair(ec_.get(), ec_public_.get())}) {
      const auto signature = sign(context_, key, name, message_);
      ASSERT_TRUE(signature) << name << take_errors();
      EXPECT_TRUE(verifies(peer, name, message_, *signature)) << name;
    }
  }
}

TEST_F(SignatureTest, ItsParametersAreThoseOfTheDefaultProvider) {
  const auto names = [](const OSSL_PARAM* list) {
    std::vector<std::string> found;
    for (; list && list->key; ++list) found.emplace_back(list->key);
    return found;
  };
  for (const auto& [key, peer] :
       {std::pair(rsa_.get(), rsa_public_.get()), std::pair(ec_.get(), ec_public_.get())}) {
    const EvpPkeyContext ours(EVP_PKEY_CTX_new_from_pkey(context_.get(), key, nullptr));
    const EvpPkeyContext theirs(EVP_PKEY_CTX_new_from_pkey(nullptr, peer, nullptr));
    ASSERT_EQ(EVP_PKEY_sign_init(ours.get()), 1);
    ASSERT_EQ(EVP_PKEY_sign_init(theirs.get()), 1);
    EXPECT_EQ(names(EVP_PKEY_CTX_settable_params(ours.get())),
              names(EVP_PKEY_CTX_settable_params(theirs.get())));
    EXPECT_EQ(names(EVP_PKEY_CTX_gettable_params(ours.get())),
              names(EVP_PKEY_CTX_gettable_params(theirs.get())));
    EXPECT_EQ(EVP_PKEY_verify_recover_init(ours.get()), EVP_PKEY_verify_recover_init(theirs.get()));
    ERR_clear_error();
  }
}

#ifdef OSSL_SIGNATURE_PARAM_NONCE_TYPE
TEST_F(SignatureTest, ATokenMakesNoDeterministicNonces) {
  const auto deterministic = [](EVP_PKEY_CTX* context) {
    unsigned int type = 1;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, &type),
                                 OSSL_PARAM_construct_end()};
    return EVP_PKEY_CTX_set_params(context, params);
  };
  EXPECT_FALSE(sign(context_, ec_.get(), "SHA256", message_, deterministic));
  EXPECT_THAT(take_errors(), HasSubstr("deterministic nonces"));
}
#endif

TEST_F(SignatureTest, TheDigestOfAMessageCannotChange) {
  const EvpMdContext operation(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT_EQ(EVP_DigestSignInit_ex(operation.get(), &parameters, "SHA256", context_.get(), nullptr, rsa_.get(),
                                  nullptr),
            1);
  EXPECT_LE(EVP_PKEY_CTX_set_signature_md(parameters, EVP_sha512()), 0);
  ERR_clear_error();
}

}  // namespace
}  // namespace keystay::test
