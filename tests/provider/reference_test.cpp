// PEM reference files, as programs read private keys.
#include <openssl/err.h>

#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class ReferenceTest : public ProviderTest {
 protected:
  // In both ways in which programs read files.
  void expect_refused(std::string_view pem, const char* why) {
    EXPECT_FALSE(context_.read_pem(pem));
    EXPECT_THAT(take_errors(), HasSubstr(why));
    EXPECT_FALSE(context_.load(token().directory().write("refused.pem", pem)));
    EXPECT_THAT(take_errors(), HasSubstr(why));
  }

  LibraryContext context_;
  pkcs11::Bytes message_ = bytes_of("by reference");
};

TEST_F(ReferenceTest, OneOfPkcs11ProviderIsLookedUp) {
  for (const char* label : {"rsa", "ec"}) {
    const EvpPkey key = context_.read_pem(bare_reference(label));
    ASSERT_TRUE(key) << take_errors();
    const auto signature = sign(context_, key.get(), "SHA256", message_);
    ASSERT_TRUE(signature) << take_errors();
    EXPECT_TRUE(verifies(public_key(label).get(), "SHA256", message_, *signature));
  }
}

TEST_F(ReferenceTest, StandsAmongOtherBlocks) {
  const TestCa ca;
  const EvpPkey key = context_.read_pem(ca.root_pem() + ca.intermediate_pem() + reference("ec"));
  ASSERT_TRUE(key) << take_errors();
  EXPECT_EQ(EVP_PKEY_eq(key.get(), public_key("ec").get()), 1);
}

TEST_F(ReferenceTest, WorksInEitherOrderOfProviders) {
  const LibraryContext first(Order::keystay_first);
  const EvpPkey key = first.read_pem(reference("ec"));
  ASSERT_TRUE(key) << take_errors();
  EXPECT_TRUE(sign(first, key.get(), "SHA256", message_)) << take_errors();
}

TEST_F(ReferenceTest, OtherKeyFilesAreLeftToOthers) {
  const EvpPkey key = context_.read_pem(private_key_pem(generate_key(KeyKind::ec).get()));
  ASSERT_TRUE(key) << take_errors();
  EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())), "default");
  EXPECT_FALSE(context_.read_pem("no key at all\n"));
  ERR_clear_error();
}

TEST_F(ReferenceTest, ADamagedOneIsRefused) {
  const std::string good = reference("rsa");
  expect_refused(good.substr(0, good.size() / 2), "the key reference breaks off; write the file again");
  const std::size_t line = good.find('\n', 100);
  std::string cut = good;
  cut.erase(line, good.find('\n', line + 1) - line);
  expect_refused(cut, "unusable key reference");
}

TEST_F(ReferenceTest, OneWithADamagedPublicKeyIsRefused) {
  pkcs11::Uri uri = uri_of("ec");
  uri.spki = "bm90IGEga2V5";
  expect_refused(x509::encode_pem_reference(uri), "keystay-spki");
}

TEST_F(ReferenceTest, OneThatPointsNowhereIsRefused) {
  expect_refused(bare_reference("nobody"), "token \"web\" has no private key");
  pkcs11::Uri uri = uri_of("ec");
  uri.token = "elsewhere";
  uri.serial.clear();
  expect_refused(x509::encode_pem_reference(uri), "elsewhere");
}

// A server may have both in one file.
TEST_F(ReferenceTest, ItsTokenIsNotAskedForTheCertificateBesideIt) {
  const TestCa ca;
  const auto file = token().directory().write("both.pem", bare_reference("nobody") + ca.root_pem());
  const Owned<OSSL_STORE_CTX, OSSL_STORE_close> store(
      OSSL_STORE_open_ex(file.c_str(), context_.get(), nullptr, nullptr, nullptr, nullptr, nullptr, nullptr));
  ASSERT_EQ(OSSL_STORE_expect(store.get(), OSSL_STORE_INFO_CERT), 1);
  Owned<OSSL_STORE_INFO, OSSL_STORE_INFO_free> info;
  while (!info && !OSSL_STORE_eof(store.get())) info.reset(OSSL_STORE_load(store.get()));
  ASSERT_TRUE(info) << take_errors();
  ERR_clear_error();  // libcrypto's, of the block that is no certificate
  EXPECT_EQ(OSSL_STORE_INFO_get_type(info.get()), OSSL_STORE_INFO_CERT);
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(ReferenceTest, OneThatNamesNoPrivateKeyIsRefused) {
  pkcs11::Uri uri = uri_of("ec");
  uri.type = CKO_CERTIFICATE;
  expect_refused(x509::encode_pem_reference(uri), "which is no key");
}

// The public key in the reference is trusted for what it is: the token's key must have it.
TEST_F(ReferenceTest, OneWithAnotherKeysPublicKeyDoesNotSign) {
  pkcs11::Uri uri = uri_of("ec");
  const auto other = generate_key(KeyKind::ec);
  uri.spki = x509::encode_spki_attribute(x509::from_evp_pkey(other.get()));
  const EvpPkey key = context_.read_pem(x509::encode_pem_reference(uri));
  ASSERT_TRUE(key) << take_errors();
  EXPECT_FALSE(sign(context_, key.get(), "SHA256", message_));
  EXPECT_THAT(take_errors(), HasSubstr("\"ec\""));
}

// CKA_ID and public key say which key it is; the label may be the one from before a -changealias.
TEST_F(ReferenceTest, OneWithAnotherLabelIsTheKeyThatItsIdAndPublicKeyName) {
  token().pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "renamed", "--id", "73"});
  pkcs11::Uri uri = uri_of("as it was called before");
  uri.id = {0x73};
  uri.spki = x509::encode_spki_attribute(x509::from_evp_pkey(public_key("renamed").get()));
  const EvpPkey key = context_.read_pem(x509::encode_pem_reference(uri));
  ASSERT_TRUE(key) << take_errors();
  const auto signature = sign(context_, key.get(), "SHA256", message_);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(public_key("renamed").get(), "SHA256", message_, *signature));
}

}  // namespace
}  // namespace keystay::test
