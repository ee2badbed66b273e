// Keys as EVP_PKEYs: what they show, what they refuse, and how they compare.
#include <array>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

class KeyTest : public ProviderTest {
 protected:
  LibraryContext context_;
  EvpPkey rsa_ = context_.load("keystay:rsa");
  EvpPkey ec_ = context_.load("keystay:ec");
  EvpPkey rsa_public_ = public_key("rsa");
  EvpPkey ec_public_ = public_key("ec");
};

std::string text_param(EVP_PKEY* key, const char* name) {
  std::array<char, 64> value{};
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_get_utf8_string_param(key, name, value.data(), value.size(), &size), 1) << name;
  return value.data();
}

std::string text_of(EVP_PKEY* key, int (*print)(BIO*, const EVP_PKEY*, int, ASN1_PCTX*)) {
  const x509::InputOutput bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(print(bio.get(), key, 0, nullptr), 1) << take_errors();
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// A key of another provider for the same algorithm.
EvpPkey other_key(KeyKind kind) { return EvpPkey(generate_key(kind).release()); }

TEST_F(KeyTest, ShowsWhatLibsslAsksFor) {
  EXPECT_TRUE(EVP_PKEY_is_a(rsa_.get(), "RSA"));
  EXPECT_TRUE(EVP_PKEY_is_a(rsa_.get(), "rsaEncryption"));
  EXPECT_EQ(EVP_PKEY_get_bits(rsa_.get()), 2048);
  EXPECT_EQ(EVP_PKEY_get_security_bits(rsa_.get()), 112);
  EXPECT_EQ(EVP_PKEY_get_size(rsa_.get()), 256);
  EXPECT_EQ(text_param(rsa_.get(), OSSL_PKEY_PARAM_DEFAULT_DIGEST), "SHA256");

  EXPECT_TRUE(EVP_PKEY_is_a(ec_.get(), "EC"));
  EXPECT_TRUE(EVP_PKEY_is_a(ec_.get(), "id-ecPublicKey"));
  EXPECT_EQ(EVP_PKEY_get_bits(ec_.get()), 256);
  EXPECT_EQ(EVP_PKEY_get_security_bits(ec_.get()), 128);
  EXPECT_EQ(text_param(ec_.get(), OSSL_PKEY_PARAM_GROUP_NAME), "prime256v1");
  EXPECT_EQ(text_param(ec_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT), "uncompressed");
  EXPECT_EQ(text_param(ec_.get(), OSSL_PKEY_PARAM_DEFAULT_DIGEST), "SHA256");
  EXPECT_EQ(EVP_PKEY_get_ec_point_conv_form(ec_.get()), POINT_CONVERSION_UNCOMPRESSED);

  unsigned char* point = nullptr;
  unsigned char* same = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(ec_.get(), &point);
  ASSERT_EQ(size, 65u);
  ASSERT_EQ(EVP_PKEY_get1_encoded_public_key(ec_public_.get(), &same), size);
  EXPECT_EQ(std::memcmp(point, same, size), 0);
  OPENSSL_free(point);
  OPENSSL_free(same);
}

// Pitfalls 38, 41: certificate and key are compared in both directions.
TEST_F(KeyTest, EqualsItsPublicHalfInEitherOrder) {
  EXPECT_EQ(EVP_PKEY_eq(rsa_.get(), rsa_public_.get()), 1);
  EXPECT_EQ(EVP_PKEY_eq(rsa_public_.get(), rsa_.get()), 1);
  EXPECT_EQ(EVP_PKEY_eq(ec_.get(), ec_public_.get()), 1);
  EXPECT_EQ(EVP_PKEY_eq(ec_public_.get(), ec_.get()), 1);
  EXPECT_EQ(EVP_PKEY_parameters_eq(ec_public_.get(), ec_.get()), 1);
}

TEST_F(KeyTest, DiffersFromEveryOtherKey) {
  const EvpPkey rsa = other_key(KeyKind::rsa);
  const EvpPkey ec = other_key(KeyKind::ec);
  EXPECT_EQ(EVP_PKEY_eq(rsa_.get(), rsa.get()), 0);
  EXPECT_EQ(EVP_PKEY_eq(rsa.get(), rsa_.get()), 0);
  EXPECT_EQ(EVP_PKEY_eq(ec_.get(), ec.get()), 0);
  EXPECT_EQ(EVP_PKEY_eq(ec.get(), ec_.get()), 0);
  EXPECT_NE(EVP_PKEY_eq(rsa_.get(), ec_.get()), 1);
  ERR_clear_error();
}

// Pitfall 42: imported keys have no handles to compare by.
TEST_F(KeyTest, TwoImportedKeysDiffer) {
  const LibraryContext first(Order::keystay_first);
  const auto import = [&](EVP_PKEY* key) {
    OSSL_PARAM* params = nullptr;
    EXPECT_EQ(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &params), 1);
    const x509::OsslParams owner(params);
    const EvpPkeyContext builder(EVP_PKEY_CTX_new_from_name(first.get(), "EC", nullptr));
    EVP_PKEY* imported = nullptr;
    EXPECT_EQ(EVP_PKEY_fromdata_init(builder.get()), 1);
    EXPECT_EQ(EVP_PKEY_fromdata(builder.get(), &imported, EVP_PKEY_PUBLIC_KEY, params), 1) << take_errors();
    return EvpPkey(imported);
  };
  const EvpPkey one = import(other_key(KeyKind::ec).get());
  const EvpPkey same = import(one.get());
  const EvpPkey other = import(other_key(KeyKind::ec).get());
  EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(one.get())), "keystay");
  EXPECT_EQ(EVP_PKEY_eq(one.get(), same.get()), 1);
  EXPECT_EQ(EVP_PKEY_eq(one.get(), other.get()), 0);
}

// Pitfall 41: parameters that are written out are the same group as the name.
TEST_F(KeyTest, ExplicitCurveParametersEqualTheNamedCurve) {
  EvpPkey explicit_key(EVP_PKEY_dup(ec_public_.get()));
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(explicit_key.get(), OSSL_PKEY_PARAM_EC_ENCODING,
                                           OSSL_PKEY_EC_ENCODING_EXPLICIT),
            1);
  EXPECT_EQ(EVP_PKEY_eq(ec_.get(), explicit_key.get()), 1) << take_errors();
  EXPECT_EQ(EVP_PKEY_eq(explicit_key.get(), ec_.get()), 1) << take_errors();
}

TEST_F(KeyTest, FitsACertificateOfItsPublicKeyAndNoOther) {
  const X509Certificate certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), ec_public_.get()), 1);
  EXPECT_EQ(X509_check_private_key(certificate.get(), ec_.get()), 1);
  EXPECT_EQ(X509_check_private_key(certificate.get(), rsa_.get()), 0);
  ERR_clear_error();
}

TEST_F(KeyTest, ACertificateOfAnotherKeyIsAnErrorThatNamesTheAlias) {
  const X509Certificate certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), other_key(KeyKind::ec).get()), 1);
  EXPECT_EQ(X509_check_private_key(certificate.get(), ec_.get()), 0);
  EXPECT_THAT(take_errors(), HasSubstr("the public key is not that of alias \"ec\" on token \"web\""));
}

TEST_F(KeyTest, ACopySignsToo) {
  const EvpPkey copy(EVP_PKEY_dup(ec_.get()));
  ASSERT_TRUE(copy) << take_errors();
  const auto message = bytes_of("copied");
  const auto signature = sign(context_, copy.get(), "SHA256", message);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", message, *signature));
}

TEST_F(KeyTest, NoParameterShowsThePrivateHalf) {
  BIGNUM* secret = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(rsa_.get(), OSSL_PKEY_PARAM_RSA_D, &secret), 0);
  EXPECT_EQ(EVP_PKEY_get_bn_param(ec_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret), 0);
  EXPECT_EQ(secret, nullptr);
  ERR_clear_error();
}

TEST_F(KeyTest, ItsPrivateHalfIsNotWrittenAndTheErrorSaysWhy) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    const x509::InputOutput bio(BIO_new(BIO_s_mem()));
    EXPECT_NE(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    const std::string errors = take_errors();
    EXPECT_THAT(errors, HasSubstr("the private key cannot leave its token"));
    EXPECT_THAT(errors, HasSubstr("on token \"web\""));
    EXPECT_EQ(BIO_pending(bio.get()), 0);
    EXPECT_NE(i2d_PrivateKey_bio(bio.get(), key), 1);
    EXPECT_THAT(take_errors(), HasSubstr("cannot leave its token"));
    EXPECT_EQ(BIO_pending(bio.get()), 0);
  }
}

TEST_F(KeyTest, ItsPublicHalfIsWrittenByTheDefaultProvider) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    const x509::InputOutput bio(BIO_new(BIO_s_mem()));
    ASSERT_EQ(PEM_write_bio_PUBKEY(bio.get(), key), 1) << take_errors();
    const EvpPkey read(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    EXPECT_EQ(EVP_PKEY_eq(read.get(), key), 1);
  }
}

TEST_F(KeyTest, AsTextItNamesItsTokenAndShowsItsPublicHalf) {
  const std::string text = text_of(ec_.get(), EVP_PKEY_print_private);
  EXPECT_THAT(text, HasSubstr("\"ec\" on token \"web\""));
  EXPECT_THAT(text, HasSubstr(text_of(ec_public_.get(), EVP_PKEY_print_public)));
  EXPECT_EQ(text_of(rsa_.get(), EVP_PKEY_print_public), text_of(rsa_public_.get(), EVP_PKEY_print_public));
}

TEST_F(KeyTest, ItsPublicHalfPassesLibcryptosChecks) {
  for (EVP_PKEY* key : {rsa_.get(), ec_.get()}) {
    const EvpPkeyContext check(EVP_PKEY_CTX_new_from_pkey(context_.get(), key, nullptr));
    EXPECT_EQ(EVP_PKEY_public_check(check.get()), 1) << take_errors();
    EXPECT_EQ(EVP_PKEY_check(check.get()), 1) << take_errors();
  }
}

TEST_F(KeyTest, HowItsPublicHalfIsWrittenIsChosenForEachCopy) {
  const EvpPkey copy(EVP_PKEY_dup(ec_.get()));
  EXPECT_EQ(EVP_PKEY_set_int_param(copy.get(), OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1), 1);
  EXPECT_EQ(EVP_PKEY_set_utf8_string_param(copy.get(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
  EXPECT_EQ(text_param(copy.get(), OSSL_PKEY_PARAM_EC_ENCODING), "explicit");
  EXPECT_EQ(text_param(ec_.get(), OSSL_PKEY_PARAM_EC_ENCODING), "named_curve");
  EXPECT_EQ(EVP_PKEY_eq(copy.get(), ec_public_.get()), 1);
  const auto message = bytes_of("explicit");
  const auto signature = sign(context_, copy.get(), "SHA256", message);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(ec_public_.get(), "SHA256", message, *signature));
}

TEST_F(KeyTest, CannotBeChanged) {
  EXPECT_NE(EVP_PKEY_set1_encoded_public_key(ec_.get(), nullptr, 0), 1);
  EXPECT_NE(EVP_PKEY_set_utf8_string_param(ec_.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-384"), 1);
  EXPECT_NE(
      EVP_PKEY_set_utf8_string_param(ec_.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"), 1);
  ERR_clear_error();
  EXPECT_EQ(EVP_PKEY_eq(ec_.get(), ec_public_.get()), 1);
}

}  // namespace
}  // namespace keystay::test
