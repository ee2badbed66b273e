// What each operation costs on the token.
#include <chrono>
#include <thread>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using F = Function;

class TokenCallsTest : public ProviderTest {
 protected:
  LibraryContext context_;
  pkcs11::Bytes message_ = bytes_of("to be signed");
};

TEST_F(TokenCallsTest, LoadingTheProviderTouchesNoModule) {
  EXPECT_EQ(faults().calls(), 0u);
  const Owned<EVP_KEYMGMT, EVP_KEYMGMT_free> keymgmt(
      EVP_KEYMGMT_fetch(context_.get(), "EC", "provider=keystay"));
  const Owned<EVP_SIGNATURE, EVP_SIGNATURE_free> signature(
      EVP_SIGNATURE_fetch(context_.get(), "KEYSTAY-EC", nullptr));
  EXPECT_TRUE(keymgmt && signature);  // also before any key is loaded
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(TokenCallsTest, AReferenceWithItsPublicKeyLoadsWithoutToken) {
  configure("\n[token.nowhere]\nmodule = \"/nonexistent.so\"\nlabel = \"nowhere\"\n");
  for (const char* label : {"rsa", "ec"}) {
    const EvpPkey key = context_.read_pem(reference(label));
    ASSERT_TRUE(key) << take_errors();
    EXPECT_EQ(EVP_PKEY_eq(key.get(), public_key(label).get()), 1);
    EXPECT_EQ(faults().calls(), 0u);

    const auto signature = sign(context_, key.get(), "SHA256", message_);
    ASSERT_TRUE(signature) << take_errors();
    EXPECT_TRUE(verifies(public_key(label).get(), "SHA256", message_, *signature));
    EXPECT_GT(faults().calls(), 0u);
    faults().reset_calls();
  }
}

// Pitfall 2.1.3, 8, 9: one C_SignInit and one C_Sign, and no other module call.
TEST_F(TokenCallsTest, ASignatureIsOneSignInitAndOneSign) {
  const EvpPkey rsa = context_.load("keystay:rsa");
  const EvpPkey ec = context_.load("keystay:ec");
  const auto measure = [&](EVP_PKEY* key, const Configure& configure) {
    ASSERT_TRUE(sign(context_, key, "SHA256", message_, configure)) << take_errors();  // finds the key
    faults().reset_calls();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(sign(context_, key, "SHA256", message_, configure));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(sign_streaming(context_, key, "SHA256", message_, configure));
    EXPECT_EQ(faults().calls(F::C_SignInit), 20u);
    EXPECT_EQ(faults().calls(F::C_Sign), 20u);
    EXPECT_EQ(faults().calls(), 40u);
  };
  measure(rsa.get(), {});
  measure(rsa.get(), pss(RSA_PSS_SALTLEN_DIGEST));
  measure(ec.get(), {});
}

// Pitfall 2.1.10: TLS servers begin a signature for each candidate algorithm, and ask for its size.
TEST_F(TokenCallsTest, BeginningAndAskingForTheSizeCostNothing) {
  for (const char* uri : {"keystay:rsa", "keystay:ec"}) {
    const EvpPkey key = context_.load(uri);
    faults().reset_calls();
    const EvpMdContext operation(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    ASSERT_EQ(EVP_DigestSignInit_ex(operation.get(), &parameters, "SHA256", context_.get(), nullptr,
                                    key.get(), nullptr),
              1);
    if (EVP_PKEY_is_a(key.get(), "RSA")) {
      ASSERT_EQ(pss(RSA_PSS_SALTLEN_DIGEST)(parameters), 1);
    }
    std::size_t size = 0;
    ASSERT_EQ(EVP_DigestSign(operation.get(), nullptr, &size, message_.data(), message_.size()), 1);
    EXPECT_EQ(size, static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    EXPECT_EQ(EVP_PKEY_digestsign_supports_digest(key.get(), context_.get(), "SHA256", nullptr), 1);
    EXPECT_EQ(faults().calls(), 0u);
  }
}

// Pitfall 5.1: libcrypto asks for the private key as a matter of course.
TEST_F(TokenCallsTest, RefusingThePrivateKeyCostsNothingAndLeavesNoError) {
  const EvpPkey key = context_.load("keystay:ec");
  faults().reset_calls();
  OSSL_PARAM* params = nullptr;
  EXPECT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_KEYPAIR, &params), 0);
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_EQ(faults().calls(), 0u);
  ASSERT_EQ(EVP_PKEY_todata(key.get(), EVP_PKEY_PUBLIC_KEY, &params), 1);
  OSSL_PARAM_free(params);
}

// A failure leaves the key as it was: the next signature is made.
TEST_F(TokenCallsTest, AFailureNamesAliasTokenAndCodeAndTheNextSignatureSucceeds) {
  const EvpPkey key = context_.read_pem(reference("ec"));
  ASSERT_TRUE(sign(context_, key.get(), "SHA256", message_)) << take_errors();
  faults().fail(F::C_Sign, CKR_DATA_INVALID);
  EXPECT_FALSE(sign(context_, key.get(), "SHA256", message_));
  const std::string errors = take_errors();
  EXPECT_THAT(errors, testing::HasSubstr("\"ec\""));
  EXPECT_THAT(errors, testing::HasSubstr("token \"web\""));
  EXPECT_THAT(errors, testing::HasSubstr("CKR_DATA_INVALID"));
  EXPECT_THAT(errors, testing::Not(testing::HasSubstr(token().pin())));
  EXPECT_TRUE(sign(context_, key.get(), "SHA256", message_)) << take_errors();
}

TEST_F(TokenCallsTest, ALostSessionIsRepairedBehindTheScenes) {
  const EvpPkey key = context_.read_pem(reference("ec"));
  ASSERT_TRUE(sign(context_, key.get(), "SHA256", message_)) << take_errors();
  for (auto lose :
       {&FaultControl::drop_sessions, &FaultControl::drop_login, &FaultControl::forget_initialize}) {
    (faults().*lose)();
    EXPECT_TRUE(sign(context_, key.get(), "SHA256", message_)) << take_errors();
  }
  faults().remove_token();
  EXPECT_FALSE(sign(context_, key.get(), "SHA256", message_));
  EXPECT_THAT(take_errors(), testing::HasSubstr("the token is not available"));
  faults().return_token();
  // A token that was away is asked again after a short pause.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!sign(context_, key.get(), "SHA256", message_)) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit) << take_errors();
    ERR_clear_error();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

TEST_F(TokenCallsTest, AWrongPinIsTriedOnceAndNeverShown) {
  const auto wrong = token().directory().write("wrong-pin", "999999\n");
  setenv("KEYSTAY_CONF",
         token()
             .directory()
             .write("wrong.toml", "[token.web]\nmodule = \"" + token().module().string() +
                                      "\"\nlabel = \"web\"\npin = \"file:" + wrong.string() + "\"\n")
             .c_str(),
         1);
  const LibraryContext context;
  const EvpPkey key = context.read_pem(reference("ec"));
  ASSERT_TRUE(key) << take_errors();
  faults().forget_initialize();  // nobody is logged in
  faults().reset_calls();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(sign(context, key.get(), "SHA256", message_));
  EXPECT_EQ(faults().calls(F::C_Login), 1u);
  const std::string errors = take_errors();
  EXPECT_THAT(errors, testing::HasSubstr("login to the token failed"));
  EXPECT_THAT(errors, testing::Not(testing::HasSubstr("999999")));
}

}  // namespace
}  // namespace keystay::test
