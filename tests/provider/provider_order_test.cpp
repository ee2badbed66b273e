// `keystay` before `default` in openssl.cnf, and property queries: whatever is not on a token stays in
// software, and works as without Keystay (pitfalls 43, 44, 45, 47).
#include <array>

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

using pkcs11::Bytes;

class ProviderOrderTest : public ProviderTest {
 protected:
  void TearDown() override {
    EXPECT_EQ(faults().calls(), 0u) << "a key in software touched the token";
    ProviderTest::TearDown();
  }

  [[nodiscard]] EvpPkey generate(const char* algorithm, const OSSL_PARAM* params = nullptr) const {
    const EvpPkeyContext generator(EVP_PKEY_CTX_new_from_name(context_.get(), algorithm, nullptr));
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_keygen_init(generator.get()), 1) << take_errors();
    if (params) {
      EXPECT_EQ(EVP_PKEY_CTX_set_params(generator.get(), params), 1) << take_errors();
    }
    EXPECT_EQ(EVP_PKEY_generate(generator.get(), &key), 1) << take_errors();
    return EvpPkey(key);
  }
  [[nodiscard]] EvpPkey generate_ec() const {
    char name[] = "P-256";
    const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
                            OSSL_PARAM_construct_end()};
    return generate("EC", params.data());
  }

  LibraryContext context_{Order::keystay_first};
  Bytes message_ = bytes_of("in software");
};

Bytes derive(const LibraryContext& context, EVP_PKEY* own, EVP_PKEY* peer) {
  const EvpPkeyContext derivation(EVP_PKEY_CTX_new_from_pkey(context.get(), own, nullptr));
  EXPECT_EQ(EVP_PKEY_derive_init(derivation.get()), 1) << take_errors();
  EXPECT_EQ(EVP_PKEY_derive_set_peer(derivation.get(), peer), 1) << take_errors();
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_derive(derivation.get(), nullptr, &size), 1);
  Bytes secret(size);
  EXPECT_EQ(EVP_PKEY_derive(derivation.get(), secret.data(), &size), 1) << take_errors();
  return secret;
}

TEST_F(ProviderOrderTest, EphemeralKeysAreGeneratedAndAgreeInSoftware) {
  for (const auto& [one, other] : std::array{std::pair(generate_ec(), generate_ec()),
                                             std::pair(generate("X25519"), generate("X25519"))}) {
    ASSERT_TRUE(one && other);
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(one.get())), "keystay");
    EXPECT_EQ(derive(context_, one.get(), other.get()), derive(context_, other.get(), one.get()));
  }
}

// As libssl does it: parameters from the own key, the point from the wire.
TEST_F(ProviderOrderTest, APeersPointMakesAKey) {
  for (const auto& [own, peer] : std::array{std::pair(generate_ec(), generate_ec()),
                                            std::pair(generate("X25519"), generate("X25519"))}) {
    unsigned char* point = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(peer.get(), &point);
    const EvpPkey received(EVP_PKEY_new());
    ASSERT_EQ(EVP_PKEY_copy_parameters(received.get(), own.get()), 1) << take_errors();
    ASSERT_EQ(EVP_PKEY_set1_encoded_public_key(received.get(), point, size), 1) << take_errors();
    OPENSSL_free(point);
    EXPECT_EQ(EVP_PKEY_eq(received.get(), peer.get()), 1);
    EXPECT_EQ(derive(context_, own.get(), received.get()), derive(context_, peer.get(), own.get()));
  }
}

TEST_F(ProviderOrderTest, AGeneratedKeyGivesItsPrivateHalf) {
  for (const EvpPkey& key : {generate_ec(), generate("RSA"), generate("X25519")}) {
    const x509::InputOutput bio(BIO_new(BIO_s_mem()));
    ASSERT_EQ(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1)
        << take_errors();
    const EvpPkey read(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    EXPECT_EQ(EVP_PKEY_eq(read.get(), key.get()), 1);
  }
}

TEST_F(ProviderOrderTest, AGeneratedKeyIsWrittenEncryptedIfAskedTo) {
  const EvpPkey key = generate_ec();
  const x509::InputOutput bio(BIO_new(BIO_s_mem()));
  char passphrase[] = "secret";
  const Owned<EVP_CIPHER, EVP_CIPHER_free> cipher(EVP_CIPHER_fetch(context_.get(), "AES-256-CBC", nullptr));
  ASSERT_EQ(PEM_write_bio_PrivateKey(bio.get(), key.get(), cipher.get(), nullptr, 0, nullptr, passphrase), 1)
      << take_errors();
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  EXPECT_THAT(std::string(text, static_cast<std::size_t>(size)),
              testing::HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  const EvpPkey read(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, passphrase));
  EXPECT_EQ(EVP_PKEY_eq(read.get(), key.get()), 1);
}

TEST_F(ProviderOrderTest, AGeneratedKeySignsAndVerifies) {
  for (const EvpPkey& key : {generate_ec(), generate("RSA")}) {
    const auto signature = sign(context_, key.get(), "SHA256", message_);
    ASSERT_TRUE(signature) << take_errors();
    const EvpMdContext verification(EVP_MD_CTX_new());
    ASSERT_EQ(EVP_DigestVerifyInit_ex(verification.get(), nullptr, "SHA256", context_.get(), nullptr,
                                      key.get(), nullptr),
              1);
    EXPECT_EQ(EVP_DigestVerify(verification.get(), signature->data(), signature->size(), message_.data(),
                               message_.size()),
              1)
        << take_errors();
  }
}

TEST_F(ProviderOrderTest, AnImportedPeerKeyVerifiesAndEncrypts) {
  const auto private_key = generate_key(KeyKind::rsa);
  OSSL_PARAM* params = nullptr;
  ASSERT_EQ(EVP_PKEY_todata(private_key.get(), EVP_PKEY_PUBLIC_KEY, &params), 1);
  const x509::OsslParams owner(params);
  const EvpPkeyContext builder(EVP_PKEY_CTX_new_from_name(context_.get(), "RSA", nullptr));
  EVP_PKEY* imported = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(builder.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(builder.get(), &imported, EVP_PKEY_PUBLIC_KEY, params), 1) << take_errors();
  const EvpPkey key(imported);

  const EvpPkeyContext encryption(EVP_PKEY_CTX_new_from_pkey(context_.get(), key.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_encrypt_init(encryption.get()), 1) << take_errors();
  Bytes secret(256);
  std::size_t size = secret.size();
  ASSERT_EQ(EVP_PKEY_encrypt(encryption.get(), secret.data(), &size, message_.data(), message_.size()), 1)
      << take_errors();
  const EvpPkeyContext decryption(EVP_PKEY_CTX_new_from_pkey(nullptr, private_key.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_decrypt_init(decryption.get()), 1);
  Bytes plain(256);
  std::size_t plain_size = plain.size();
  ASSERT_EQ(EVP_PKEY_decrypt(decryption.get(), plain.data(), &plain_size, secret.data(), size), 1);
  plain.resize(plain_size);
  EXPECT_EQ(plain, message_);
  EXPECT_FALSE(sign(context_, key.get(), "SHA256", message_)) << "a public key signed";
  ERR_clear_error();
}

TEST_F(ProviderOrderTest, AKeyFileInSoftwareStaysWithTheDefaultProvider) {
  for (const KeyKind kind : {KeyKind::rsa, KeyKind::ec}) {
    const EvpPkey key = context_.read_pem(private_key_pem(generate_key(kind).get()));
    ASSERT_TRUE(key) << take_errors();
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())), "default");
    EXPECT_TRUE(sign(context_, key.get(), "SHA256", message_)) << take_errors();
  }
}

TEST_F(ProviderOrderTest, ACertificateOfAnyKeyIsVerified) {
  const TestCa ca;
  const auto identity = ca.issue(KeyKind::rsa);
  const x509::InputOutput bio(BIO_new_mem_buf(identity.chain_pem.data(), -1));
  X509* leaf = X509_new_ex(context_.get(), nullptr);
  ASSERT_TRUE(PEM_read_bio_X509(bio.get(), &leaf, nullptr, nullptr));
  const X509Certificate leaf_owner(leaf);
  X509* issuer = X509_new_ex(context_.get(), nullptr);
  ASSERT_TRUE(PEM_read_bio_X509(bio.get(), &issuer, nullptr, nullptr));
  const X509Certificate issuer_owner(issuer);
  EXPECT_EQ(X509_verify(leaf, X509_get0_pubkey(issuer)), 1) << take_errors();
}

TEST_F(ProviderOrderTest, AnImportedPrivateKeyIsInSoftware) {
  const auto original = generate_key(KeyKind::ec);
  OSSL_PARAM* params = nullptr;
  ASSERT_EQ(EVP_PKEY_todata(original.get(), EVP_PKEY_KEYPAIR, &params), 1);
  const x509::OsslParams owner(params);
  const EvpPkeyContext builder(EVP_PKEY_CTX_new_from_name(context_.get(), "EC", nullptr));
  EVP_PKEY* imported = nullptr;
  ASSERT_EQ(EVP_PKEY_fromdata_init(builder.get()), 1);
  ASSERT_EQ(EVP_PKEY_fromdata(builder.get(), &imported, EVP_PKEY_KEYPAIR, params), 1) << take_errors();
  const EvpPkey key(imported);
  const auto signature = sign(context_, key.get(), "SHA256", message_);
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(original.get(), "SHA256", message_, *signature));
}

}  // namespace
}  // namespace keystay::test
