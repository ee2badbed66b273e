// RSA decryption by keys on a token, and what it tells of wrong padding: nothing.
#include <algorithm>
#include <functional>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "provider/exchange/rsa_unpadding.h"
#include "tests/provider/openssl_program.h"
#include "tests/provider/signing_job.h"
#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using F = Function;
using pkcs11::Bytes;
using pkcs11::ByteView;
using testing::HasSubstr;
using Configure = std::function<int(EVP_PKEY_CTX*)>;
using CipherCall = int(EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*, std::size_t);

constexpr unsigned int kTls12 = 0x0303;
constexpr std::size_t kSize = 256;

Configure padding(int mode) {
  return [mode](EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_rsa_padding(context, mode); };
}

Configure oaep(const char* digest, const char* mgf1, std::string label = "") {
  return [=](EVP_PKEY_CTX* context) {
    if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) <= 0 ||
        EVP_PKEY_CTX_set_rsa_oaep_md_name(context, digest, "provider=default") <= 0 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, mgf1, nullptr) <= 0) {
      return 0;
    }
    if (label.empty()) return 1;
    void* copy = OPENSSL_memdup(label.data(), label.size());
    return EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size()));
  };
}

Configure tls(unsigned int client, unsigned int negotiated = 0) {
  return [=](EVP_PKEY_CTX* context) {
    unsigned int versions[] = {client, negotiated};
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &versions[0]),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &versions[1]),
        OSSL_PARAM_construct_end()};
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_WITH_TLS_PADDING) > 0 &&
                   EVP_PKEY_CTX_set_params(context, params) > 0
               ? 1
               : 0;
  };
}

int explicit_rejection(EVP_PKEY_CTX* context) {
  unsigned int off = 0;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_uint("implicit-rejection", &off),
                               OSSL_PARAM_construct_end()};
  return EVP_PKEY_CTX_set_params(context, params);
}

std::optional<Bytes> process(EVP_PKEY_CTX* context, CipherCall& process, ByteView input) {
  std::size_t size = 0;
  if (process(context, nullptr, &size, input.data(), input.size()) != 1) return std::nullopt;
  Bytes output(size);
  if (process(context, output.data(), &size, input.data(), input.size()) != 1) return std::nullopt;
  output.resize(size);
  return output;
}

// Throws where the sender, who has only the public key and the default provider, cannot do it.
Bytes encrypt(EVP_PKEY* key, ByteView message, const Configure& configure) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (EVP_PKEY_encrypt_init(context.get()) != 1 || configure(context.get()) <= 0)
    throw std::runtime_error("EVP_PKEY_encrypt_init");
  return process(context.get(), EVP_PKEY_encrypt, message).value();
}

std::optional<Bytes> decrypt(OSSL_LIB_CTX* library, EVP_PKEY* key, ByteView ciphertext,
                             const Configure& configure) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(library, key, nullptr));
  if (EVP_PKEY_decrypt_init(context.get()) != 1 || configure(context.get()) <= 0) return std::nullopt;
  return process(context.get(), EVP_PKEY_decrypt, ciphertext);
}

// 00 02, padding, 00, message.
Bytes pkcs1_block(ByteView message) {
  Bytes block(kSize, 0x5a);
  block[0] = 0x00;
  block[1] = 0x02;
  block[kSize - message.size() - 1] = 0x00;
  std::copy(message.begin(), message.end(), block.end() - static_cast<std::ptrdiff_t>(message.size()));
  return block;
}

Bytes changed(Bytes block, std::size_t at, std::uint8_t value) {
  block[at] = value;
  return block;
}

Bytes premaster(unsigned int version = kTls12) {
  Bytes secret(48, 0x77);
  secret[0] = static_cast<std::uint8_t>(version >> 8);
  secret[1] = static_cast<std::uint8_t>(version);
  return secret;
}

// Every way in which the padding of a message can be wrong.
std::vector<Bytes> wrongly_padded(ByteView message) {
  const Bytes right = pkcs1_block(message);
  Bytes no_end = right;
  std::replace(no_end.begin() + 1, no_end.end(), std::uint8_t{0}, std::uint8_t{1});
  return {changed(right, 0, 0x01), changed(right, 1, 0x01), changed(right, 1, 0x00),
          changed(right, 2, 0x00), changed(right, 9, 0x00), no_end,
          Bytes(kSize, 0x00)};
}

class DecryptionTest : public OpensslServerTest {
 protected:
  [[nodiscard]] std::optional<Bytes> decrypt(ByteView ciphertext, const Configure& configure) const {
    return test::decrypt(context_.get(), key_.get(), ciphertext, configure);
  }
  [[nodiscard]] Bytes bare(ByteView block) const {
    return encrypt(public_key_.get(), block, padding(RSA_NO_PADDING));
  }

  LibraryContext context_;
  EvpPkey key_ = context_.load("keystay:rsa");
  EvpPkey public_key_ = public_key("rsa");
  Bytes secret_ = bytes_of("to be kept");
};

TEST_F(DecryptionTest, EachPaddingGivesTheMessageBack) {
  const Bytes block = pkcs1_block(secret_);
  EXPECT_EQ(decrypt(bare(block), padding(RSA_NO_PADDING)), block) << take_errors();
  for (const auto& configure :
       {padding(RSA_PKCS1_PADDING), padding(RSA_PKCS1_OAEP_PADDING), oaep("SHA256", "SHA256"),
        oaep("SHA512", "SHA1"), oaep("SHA3-256", "SHA3-256"), oaep("SHA256", "SHA256", "label")}) {
    for (const Bytes& message : {secret_, Bytes{}, Bytes(100, 0)}) {
      EXPECT_EQ(decrypt(encrypt(public_key_.get(), message, configure), configure), message) << take_errors();
    }
  }
}

TEST_F(DecryptionTest, AMessageIsTwoCallsAndAskingForItsSizeNone) {
  const Bytes ciphertext = encrypt(public_key_.get(), secret_, padding(RSA_PKCS1_PADDING));
  ASSERT_EQ(decrypt(ciphertext, padding(RSA_PKCS1_PADDING)), secret_) << take_errors();
  faults().reset_calls();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(decrypt(ciphertext, padding(RSA_PKCS1_PADDING)), secret_);
  EXPECT_EQ(faults().calls(F::C_DecryptInit), 10u);
  EXPECT_EQ(faults().calls(F::C_Decrypt), 10u);
  EXPECT_EQ(faults().calls(), 20u);
}

// Pitfall 70: no oracle. Two processes agree as well: the substitute depends on key and ciphertext alone.
TEST_F(DecryptionTest, WrongPaddingGivesASubstituteThatIsAlwaysTheSame) {
  const LibraryContext another;
  const EvpPkey same_key = another.read_pem(reference("rsa"));
  std::vector<Bytes> substitutes;
  for (const Bytes& block : wrongly_padded(secret_)) {
    const Bytes ciphertext = bare(block);
    const auto first = decrypt(ciphertext, padding(RSA_PKCS1_PADDING));
    ASSERT_TRUE(first) << take_errors();
    EXPECT_EQ(ERR_peek_error(), 0u);
    EXPECT_LE(first->size(), kSize - 11);
    EXPECT_EQ(first, test::decrypt(another.get(), same_key.get(), ciphertext, padding(RSA_PKCS1_PADDING)));
    if (first->size() < 8) continue;  // short ones, of which the empty one is the likeliest, may be equal
    EXPECT_THAT(substitutes, testing::Not(testing::Contains(*first)));
    substitutes.push_back(*first);
  }
}

TEST_F(DecryptionTest, WrongPaddingIsAnErrorWhereTheApplicationAsksForThat) {
  const auto configure = [](EVP_PKEY_CTX* context) {
    return padding(RSA_PKCS1_PADDING)(context) > 0 ? explicit_rejection(context) : 0;
  };
  EXPECT_EQ(decrypt(bare(pkcs1_block(secret_)), configure), secret_);
  for (const Bytes& block : wrongly_padded(secret_)) {
    EXPECT_FALSE(decrypt(bare(block), configure));
    EXPECT_THAT(take_errors(), HasSubstr("the padding is wrong"));
  }
}

TEST_F(DecryptionTest, WrongOaepIsOneErrorWhateverIsWrong) {
  const Bytes sent = encrypt(public_key_.get(), secret_, oaep("SHA256", "SHA256", "label"));
  std::vector<std::string> errors;
  for (const auto& configure : {oaep("SHA256", "SHA256", "another"), oaep("SHA384", "SHA256", "label"),
                                oaep("SHA256", "SHA1", "label")}) {
    EXPECT_FALSE(decrypt(sent, configure));
    errors.push_back(take_errors());
  }
  EXPECT_FALSE(decrypt(bare(Bytes(kSize, 0x01)), oaep("SHA256", "SHA256")));
  errors.push_back(take_errors());
  EXPECT_THAT(errors, testing::Each(errors.front()));
  EXPECT_THAT(errors.front(), HasSubstr("the padding is wrong"));
}

// Pitfall 71: success with random bytes, whatever is wrong.
TEST_F(DecryptionTest, OfTlsGivesAPremasterSecretWhateverIsWrong) {
  EXPECT_EQ(decrypt(bare(pkcs1_block(premaster())), tls(kTls12)), premaster()) << take_errors();
  EXPECT_EQ(decrypt(bare(pkcs1_block(premaster(0x0301))), tls(kTls12, 0x0301)), premaster(0x0301));

  std::vector<Bytes> wrong = wrongly_padded(premaster());
  wrong.push_back(pkcs1_block(premaster(0x0301)));  // a version that nobody has said
  wrong.push_back(pkcs1_block(Bytes(47, 0x03)));
  wrong.push_back(pkcs1_block(Bytes(49, 0x03)));
  std::vector<Bytes> secrets;
  for (const Bytes& block : wrong) {
    const Bytes ciphertext = bare(block);
    for (int twice = 0; twice < 2; ++twice) {
      const auto secret = decrypt(ciphertext, tls(kTls12));
      ASSERT_TRUE(secret) << take_errors();
      EXPECT_EQ(ERR_peek_error(), 0u);
      EXPECT_EQ(secret->size(), 48u);
      EXPECT_THAT(secrets, testing::Not(testing::Contains(*secret)));
      secrets.push_back(*secret);
    }
  }
}

// The same blocks, by the default provider with a key of its own and by ours.
TEST_F(DecryptionTest, OfTlsAcceptsWhatTheDefaultProviderAccepts) {
  const EvpPkey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kSize * 8));
  std::vector<Bytes> blocks = wrongly_padded(premaster());
  for (const unsigned int version : {0x0303u, 0x0301u, 0x0000u})
    blocks.push_back(pkcs1_block(premaster(version)));
  for (const Bytes& block : blocks) {
    const Bytes end(block.end() - 48, block.end());
    for (const unsigned int negotiated : {0u, 0x0301u}) {
      const auto by_default = test::decrypt(
          nullptr, key.get(), encrypt(key.get(), block, padding(RSA_NO_PADDING)), tls(kTls12, negotiated));
      const auto by_us = decrypt(bare(block), tls(kTls12, negotiated));
      ASSERT_TRUE(by_default && by_us) << take_errors();
      EXPECT_EQ(*by_default == end, *by_us == end) << testing::PrintToString(block);
    }
  }
}

TEST_F(DecryptionTest, ACiphertextThatCannotBeOneCostsNoCall) {
  ASSERT_TRUE(decrypt(bare(pkcs1_block(secret_)), padding(RSA_PKCS1_PADDING)));
  faults().reset_calls();
  for (const Bytes& ciphertext : {Bytes(kSize, 0xff), Bytes(kSize + 1, 0x01)}) {
    for (const auto& configure : {padding(RSA_PKCS1_PADDING), padding(RSA_PKCS1_OAEP_PADDING), tls(kTls12)}) {
      EXPECT_FALSE(decrypt(ciphertext, configure));
      EXPECT_THAT(take_errors(), HasSubstr("the ciphertext is"));
    }
  }
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(DecryptionTest, InAJobItPausesAndDecrypts) {
  const Bytes ciphertext = bare(pkcs1_block(premaster()));
  std::optional<Bytes> secret;
  SigningJob job([&] {
    secret = decrypt(ciphertext, tls(kTls12));
    return secret.has_value();
  });
  EXPECT_EQ(job.resume(), ASYNC_PAUSE);
  EXPECT_TRUE(job.run());
  EXPECT_EQ(secret, premaster());
}

TEST_F(DecryptionTest, WithoutTheBareMechanismOaepIsTheTokensAndPkcs1IsRefused) {
  const LibraryContext fresh;
  const EvpPkey key = fresh.read_pem(reference("rsa"));
  const Bytes oaep_sha1 = encrypt(public_key_.get(), secret_, padding(RSA_PKCS1_OAEP_PADDING));
  faults().fail(F::C_GetMechanismInfo, CKR_MECHANISM_INVALID);  // the first question: CKM_RSA_X_509
  EXPECT_EQ(test::decrypt(fresh.get(), key.get(), oaep_sha1, padding(RSA_PKCS1_OAEP_PADDING)), secret_)
      << take_errors();
  EXPECT_FALSE(test::decrypt(fresh.get(), key.get(), bare(pkcs1_block(secret_)), padding(RSA_PKCS1_PADDING)));
  EXPECT_THAT(take_errors(), HasSubstr("use ECDHE key exchange, or OAEP"));
}

TEST_F(DecryptionTest, OfSoftwareKeysIsSoftware) {
  const LibraryContext first(Order::keystay_first);
  faults().reset_calls();
  const EvpPkey key(EVP_PKEY_Q_keygen(first.get(), nullptr, "RSA", std::size_t{2048}));
  ASSERT_TRUE(key) << take_errors();
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(first.get(), key.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_encrypt_init(context.get()), 1) << take_errors();
  const auto ciphertext = process(context.get(), EVP_PKEY_encrypt, secret_);
  ASSERT_TRUE(ciphertext) << take_errors();
  EXPECT_EQ(test::decrypt(first.get(), key.get(), *ciphertext, padding(RSA_PKCS1_PADDING)), secret_);
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(DecryptionTest, PkeyutlAndCmsDecrypt) {
  for (const char* mode : {"rsa_padding_mode:pkcs1", "rsa_padding_mode:oaep"}) {
    ASSERT_TRUE(run({"openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", path("rsa.pub"), "-pkeyopt", mode,
                     "-in", message_, "-out", path("encrypted")})
                    .ok());
    const Outcome outcome =
        openssl({"pkeyutl", "-decrypt", "-inkey", "keystay:rsa", "-pkeyopt", mode, "-in", path("encrypted")});
    EXPECT_EQ(outcome.output, "to be signed\n") << outcome;
  }
  ASSERT_TRUE(openssl({"req", "-x509", "-new", "-key", "keystay:rsa", "-subj", "/CN=recipient", "-out",
                       path("recipient.pem")})
                  .ok());
  for (const Arguments& options : {Arguments{}, Arguments{"-keyopt", "rsa_padding_mode:oaep"}}) {
    Arguments sending{
        "openssl",    "cms",    "-encrypt",           "-aes128", "-binary", "-in", message_, "-out",
        path("mail"), "-recip", path("recipient.pem")};
    sending.insert(sending.end(), options.begin(), options.end());
    ASSERT_TRUE(run(sending).ok());
    for (const Arguments& recipient : {Arguments{}, Arguments{"-recip", path("recipient.pem")}}) {
      Arguments reading{"cms", "-decrypt", "-binary", "-in", path("mail"), "-inkey", path("rsa.ref")};
      reading.insert(reading.end(), recipient.begin(), recipient.end());
      const Outcome outcome = openssl(reading);
      EXPECT_EQ(outcome.output, "to be signed\n") << outcome;
    }
  }
}

TEST_F(DecryptionTest, SServerExchangesKeysByRsa) {
  const Arguments client{"-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=1"};
  for (const Arguments& mode : {Arguments{}, Arguments{"-async"}}) {
    for (const Order order : {Order::keystay_first, Order::keystay_last}) {
      Arguments options{"-cipher", "AES128-SHA:@SECLEVEL=1"};
      options.insert(options.end(), mode.begin(), mode.end());
      serve({.key = "rsa", .options = options, .order = order}, {client, client});
    }
  }
}

}  // namespace
}  // namespace keystay::test
