// Decryption by RSA keys and agreement by EC keys: what libcrypto encrypted to the public key comes back, and
// both sides of an ECDH have one secret.
#include <algorithm>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

struct FreeContext {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;
using ParameterSetter = std::function<int(EVP_PKEY_CTX*)>;

// What a peer does, who has the public key only.
Bytes encrypt(EVP_PKEY* key, ByteView plaintext, const ParameterSetter& set) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_EQ(set(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), nullptr, &size, plaintext.data(), plaintext.size()), 1);
  Bytes ciphertext(size);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), ciphertext.data(), &size, plaintext.data(), plaintext.size()), 1);
  ciphertext.resize(size);
  return ciphertext;
}

int pkcs1(EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING); }
int none(EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING); }
int oaep(EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING); }

class Decryption : public TokenTest {
 protected:
  Decryption() {
    hsm_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "02",
                      "--usage-sign", "--usage-decrypt"});
    rsa_ = test::read_public_key(hsm_, "rsa");
  }

  Bytes decrypt(const DecryptMechanism& mechanism, ByteView ciphertext) {
    Bytes plaintext(256);
    plaintext.resize(
        token_->perform(reference_, Decrypt{mechanism}, ciphertext, plaintext, token_->deadline()));
    return plaintext;
  }

  const Bytes message_{'s', 'e', 'c', 'r', 'e', 't'};
  KeyReference reference_{{0x02}, "rsa", CKK_RSA, std::nullopt};
  test::Openssl<EVP_PKEY> rsa_;
  std::shared_ptr<Token> token_ = token();
};

TEST_F(Decryption, Pkcs1GivesTheMessageBack) {
  EXPECT_EQ(decrypt(RsaPkcs{}, encrypt(rsa_.get(), message_, pkcs1)), message_);
}

TEST_F(Decryption, OaepGivesTheMessageBack) {
  const RsaOaep sha1{Hash::sha1, Hash::sha1, {}};
  EXPECT_EQ(decrypt(sha1, encrypt(rsa_.get(), message_, oaep)), message_);
}

TEST_F(Decryption, X509GivesTheWholeBlockBack) {
  Bytes block(256, 0x5a);
  block[0] = 0x00;
  EXPECT_EQ(decrypt(RsaX509{}, encrypt(rsa_.get(), block, none)), block);
}

TEST_F(Decryption, CiphertextThatDoesNotFitIsTheClientsErrorAndHarmsNoOther) {
  const Bytes ciphertext = encrypt(rsa_.get(), message_, pkcs1);
  const Bytes cut(ciphertext.begin(), ciphertext.end() - 1);
  EXPECT_TRUE(error_of([&] { decrypt(RsaPkcs{}, cut); }));
  EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
}

TEST_F(Decryption, CiphertextOfAStrangerDoesNotMakeTheTokenBeRepaired) {
  Bytes ciphertext = encrypt(rsa_.get(), message_, pkcs1);
  EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
  faults_.reset_calls();
  ciphertext.back() ^= 1;
  for (int i = 0; i < 5; ++i) {
    // From OpenSSL 3.2 on the libcrypto below SoftHSM makes a message up instead.
    const std::optional<Error> error = error_of([&] { EXPECT_NE(decrypt(RsaPkcs{}, ciphertext), message_); });
    if (error) {
      EXPECT_EQ(error->error_class(), ErrorClass::client) << error->what();
    }
  }
  EXPECT_EQ(faults_.calls(Function::C_Decrypt), 5u);
  EXPECT_EQ(faults_.calls(Function::C_Login) + faults_.calls(Function::C_Initialize), 0u);
}

TEST_F(Decryption, OneInitAndOneDecrypt) {
  const Bytes ciphertext = encrypt(rsa_.get(), message_, pkcs1);
  EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
  faults_.reset_calls();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
  EXPECT_EQ(faults_.calls(Function::C_DecryptInit), 10u);
  EXPECT_EQ(faults_.calls(Function::C_Decrypt), 10u);
  EXPECT_EQ(faults_.calls(), 20u);
}

TEST_F(Decryption, OutlivesALostSession) {
  const Bytes ciphertext = encrypt(rsa_.get(), message_, pkcs1);
  EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
  faults_.fail(Function::C_DecryptInit, CKR_SESSION_HANDLE_INVALID);
  EXPECT_EQ(decrypt(RsaPkcs{}, ciphertext), message_);
}

class Agreement : public TokenTest {
 protected:
  Agreement() {
    hsm_.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "ecdh", "--id", "03", "--usage-derive"});
    ours_ = test::read_public_key(hsm_, "ecdh");
  }

  Bytes derive(ByteView peer_point) {
    Bytes secret(32);
    token_->perform(reference_, AgreeEcdh{}, peer_point, secret, token_->deadline());
    return secret;
  }

  const KeyReference reference_ = ec_reference("ecdh", {0x03});
  test::Openssl<EVP_PKEY> ours_;
  test::Openssl<EVP_PKEY> peer_{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
  std::shared_ptr<Token> token_ = token();
};

Bytes point_of(EVP_PKEY* key) {
  Bytes point(65);
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", point.data(), point.size(), &size), 1);
  point.resize(size);
  return point;
}

Bytes derive_in_software(EVP_PKEY* own, EVP_PKEY* peer) {
  const Context context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  Bytes secret(32);
  std::size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), peer), 1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
  return secret;
}

TEST_F(Agreement, BothSidesHaveOneSecret) {
  EXPECT_EQ(derive(point_of(peer_.get())), derive_in_software(peer_.get(), ours_.get()));
}

TEST_F(Agreement, LeavesNoSecretOnTheToken) {
  const Bytes point = point_of(peer_.get());
  derive(point);
  std::size_t secrets = 1;
  token_->with_session([&](Session& session) {
    secrets = session.find_objects(std::move(Template().number(CKA_CLASS, CKO_SECRET_KEY))).size();
  });
  EXPECT_EQ(secrets, 0u);
}

TEST_F(Agreement, PointThatIsNotOnTheCurveIsRefused) {
  Bytes point = point_of(peer_.get());
  point.back() ^= 1;
  EXPECT_TRUE(error_of([&] { derive(point); }));
}

TEST_F(TokenTest, RandomBytesComeFromTheToken) {
  const auto token = this->token();
  std::array<std::uint8_t, 64> one{};
  std::array<std::uint8_t, 64> other{};
  token->with_session([&](Session& session) {
    session.generate_random(one);
    session.generate_random(other);
  });
  EXPECT_NE(one, other);
  EXPECT_EQ(faults_.calls(Function::C_GenerateRandom), 2u);
}

}  // namespace
}  // namespace keystay::pkcs11
