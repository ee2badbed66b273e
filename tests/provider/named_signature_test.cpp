// Signature algorithms that are fetched by their own names (OpenSSL 3.4 and later).
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

#if OPENSSL_VERSION_PREREQ(3, 4)

using pkcs11::Bytes;
using SignatureAlgorithm = Owned<EVP_SIGNATURE, EVP_SIGNATURE_free>;

struct Scheme {
  const char* key;
  const char* algorithm;
  const char* digest;
};
constexpr Scheme kSchemes[] = {{"rsa", "RSA-SHA2-256", "SHA256"},
                               {"rsa", "RSA-SHA3-512", "SHA3-512"},
                               {"ec", "ECDSA-SHA2-384", "SHA384"},
                               {"ec", "ECDSA-SHA1", "SHA1"}};

class NamedSignatureTest : public ProviderTest {
 protected:
  [[nodiscard]] SignatureAlgorithm fetch(const char* name) const {
    SignatureAlgorithm algorithm(EVP_SIGNATURE_fetch(context_.get(), name, "provider=keystay"));
    EXPECT_TRUE(algorithm) << name << take_errors();
    return algorithm;
  }
  [[nodiscard]] EvpPkeyContext operation(EVP_PKEY* key) const {
    return EvpPkeyContext(EVP_PKEY_CTX_new_from_pkey(context_.get(), key, nullptr));
  }

  LibraryContext context_;
  Bytes message_ = bytes_of("named");
};

TEST_F(NamedSignatureTest, AMessageIsSignedInOneStep) {
  for (const Scheme& scheme : kSchemes) {
    const EvpPkey key = context_.load(std::string("keystay:") + scheme.key);
    const auto algorithm = fetch(scheme.algorithm);
    const auto signing = operation(key.get());
    ASSERT_EQ(EVP_PKEY_sign_message_init(signing.get(), algorithm.get(), nullptr), 1) << take_errors();
    std::size_t size = 0;
    ASSERT_EQ(EVP_PKEY_sign(signing.get(), nullptr, &size, message_.data(), message_.size()), 1)
        << take_errors();
    Bytes signature(size);
    ASSERT_EQ(EVP_PKEY_sign(signing.get(), signature.data(), &size, message_.data(), message_.size()), 1)
        << take_errors();
    signature.resize(size);
    EXPECT_TRUE(verifies(public_key(scheme.key).get(), scheme.digest, message_, signature))
        << scheme.algorithm;
  }
}

TEST_F(NamedSignatureTest, AMessageIsSignedAndVerifiedInSteps) {
  for (const Scheme& scheme : kSchemes) {
    const EvpPkey key = context_.load(std::string("keystay:") + scheme.key);
    const auto algorithm = fetch(scheme.algorithm);
    const auto signing = operation(key.get());
    ASSERT_EQ(EVP_PKEY_sign_message_init(signing.get(), algorithm.get(), nullptr), 1) << take_errors();
    for (const std::uint8_t& byte : message_) {
      ASSERT_EQ(EVP_PKEY_sign_message_update(signing.get(), &byte, 1), 1) << take_errors();
    }
    std::size_t size = 0;
    ASSERT_EQ(EVP_PKEY_sign_message_final(signing.get(), nullptr, &size), 1) << take_errors();
    Bytes signature(size);
    ASSERT_EQ(EVP_PKEY_sign_message_final(signing.get(), signature.data(), &size), 1) << take_errors();
    signature.resize(size);
    EXPECT_TRUE(verifies(public_key(scheme.key).get(), scheme.digest, message_, signature))
        << scheme.algorithm;

    const auto verification = operation(key.get());
    ASSERT_EQ(EVP_PKEY_verify_message_init(verification.get(), algorithm.get(), nullptr), 1) << take_errors();
    ASSERT_EQ(EVP_PKEY_CTX_set_signature(verification.get(), signature.data(), signature.size()), 1);
    ASSERT_EQ(EVP_PKEY_verify_message_update(verification.get(), message_.data(), message_.size()), 1);
    EXPECT_EQ(EVP_PKEY_verify_message_final(verification.get()), 1) << take_errors();
  }
}

TEST_F(NamedSignatureTest, ADigestIsSignedAndVerified) {
  for (const Scheme& scheme : kSchemes) {
    const EvpPkey key = context_.load(std::string("keystay:") + scheme.key);
    const auto algorithm = fetch(scheme.algorithm);
    Bytes digest(EVP_MAX_MD_SIZE);
    std::size_t digest_size = 0;
    ASSERT_EQ(EVP_Q_digest(nullptr, scheme.digest, nullptr, message_.data(), message_.size(), digest.data(),
                           &digest_size),
              1);
    const auto signing = operation(key.get());
    ASSERT_EQ(EVP_PKEY_sign_init_ex2(signing.get(), algorithm.get(), nullptr), 1) << take_errors();
    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
    Bytes signature(size);
    ASSERT_EQ(EVP_PKEY_sign(signing.get(), signature.data(), &size, digest.data(), digest_size), 1)
        << take_errors();
    signature.resize(size);
    EXPECT_TRUE(verifies(public_key(scheme.key).get(), scheme.digest, message_, signature))
        << scheme.algorithm;

    const auto verification = operation(key.get());
    ASSERT_EQ(EVP_PKEY_verify_init_ex2(verification.get(), algorithm.get(), nullptr), 1) << take_errors();
    EXPECT_EQ(
        EVP_PKEY_verify(verification.get(), signature.data(), signature.size(), digest.data(), digest_size),
        1)
        << take_errors();
    signature[4] ^= 1;
    EXPECT_NE(
        EVP_PKEY_verify(verification.get(), signature.data(), signature.size(), digest.data(), digest_size),
        1);
    ERR_clear_error();
  }
}

TEST_F(NamedSignatureTest, AKeyOfAnotherKindIsRefused) {
  const EvpPkey key = context_.load("keystay:ec");
  const auto algorithm = fetch("RSA-SHA2-256");
  EXPECT_NE(EVP_PKEY_sign_message_init(operation(key.get()).get(), algorithm.get(), nullptr), 1);
  ERR_clear_error();
  EXPECT_EQ(faults().calls(Function::C_Sign), 0u);
}

// The default provider's algorithm cannot have the private key, and does not get it.
TEST_F(NamedSignatureTest, AnotherProvidersAlgorithmDoesNotGetThePrivateKey) {
  const EvpPkey key = context_.load("keystay:ec");
  const SignatureAlgorithm algorithm(
      EVP_SIGNATURE_fetch(context_.get(), "ECDSA-SHA2-256", "provider=default"));
  ASSERT_TRUE(algorithm);
  EXPECT_NE(EVP_PKEY_sign_message_init(operation(key.get()).get(), algorithm.get(), nullptr), 1);
  ERR_clear_error();
}

#else

TEST(NamedSignatureTest, NeedsOpenSsl34) { GTEST_SKIP() << "this is OpenSSL " << OPENSSL_VERSION_STR; }

#endif

}  // namespace
}  // namespace keystay::test
