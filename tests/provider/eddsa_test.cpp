// EdDSA (RFC 8032) by keys on a token: in one step, without a digest.
#include <cctype>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "native/keys/key_store.h"
#include "native/x509/openssl_pkix.h"
#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"
#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"
#include "tests/provider/signing_job.h"

namespace keystay::test {
namespace {

using F = Function;
using pkcs11::Bytes;
using testing::HasSubstr;

// Another hand than ours reads Ed25519 keys: pkcs11-tool prints CKA_EC_POINT, an OCTET STRING of 32 bytes.
Bytes point_by_pkcs11_tool(const SoftHsmToken& token, const std::string& label) {
  const std::string text = token.pkcs11_tool({"--list-objects", "--type", "pubkey", "--label", label});
  std::size_t at = text.find("EC_POINT:");
  at = text.find("0420", at) + 4;
  Bytes point;
  for (; std::isxdigit(static_cast<unsigned char>(text.at(at))); at += 2) {
    point.push_back(static_cast<std::uint8_t>(std::stoi(text.substr(at, 2), nullptr, 16)));
  }
  return point;
}

Bytes raw_public_key(const EVP_PKEY* key) {
  std::size_t size = 0;
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(key, nullptr, &size), 1);
  Bytes point(size);
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(key, point.data(), &size), 1);
  return point;
}

class EdDsaTest : public OpensslServerTest {
 protected:
  static void SetUpTestSuite() {
    ProviderTest::SetUpTestSuite();
    token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:edwards25519", "--label", "ed25519", "--id", "03"});
    // pkcs11-tool makes no Ed448 keys.
    keys::Tokens tokens(config::parse_configuration(token().configuration(), "keystay.toml"), {});
    const x509::OpenSslPkix pkix;
    keys::KeyStore(tokens.source(std::string_view("web")), pkix)
        .generate("ed448", keys::key_spec("Ed448", 0, ""));
  }

  EdDsaTest()
      : OpensslServerTest(std::vector<std::string>{}) {
  }  // libp11, which reads public keys for the files, knows no Edwards curve

  [[nodiscard]] static EvpPkey software_public_key(const EVP_PKEY* key) {
    const Bytes point = raw_public_key(key);
    return EvpPkey(EVP_PKEY_new_raw_public_key_ex(nullptr, EVP_PKEY_get0_type_name(key), nullptr,
                                                  point.data(), point.size()));
  }
  [[nodiscard]] static std::string reference_with(const EVP_PKEY* key, const std::string& label) {
    pkcs11::Uri uri = uri_of(label);
    uri.spki = x509::encode_spki_attribute(x509::from_evp_pkey(key));
    return x509::encode_pem_reference(uri);
  }

  LibraryContext context_;
  Bytes message_ = bytes_of("to be signed");
};

TEST_F(EdDsaTest, SignsInOneStepAndTheDefaultProviderVerifies) {
  for (const std::string label : {"ed25519", "ed448"}) {
    const EvpPkey key = context_.load("keystay:" + label);
    ASSERT_TRUE(key) << take_errors();
    for (const auto& message : {message_, Bytes{}, Bytes(100'000, 'x')}) {
      const auto signature = sign(context_, key.get(), nullptr, message);
      ASSERT_TRUE(signature) << label << take_errors();
      EXPECT_TRUE(test::verifies(software_public_key(key.get()).get(), nullptr, message, *signature))
          << label;
    }
  }
}

TEST_F(EdDsaTest, ThePublicKeyIsTheOneThatPkcs11ToolSees) {
  const EvpPkey key = context_.load("keystay:ed25519");
  EXPECT_EQ(raw_public_key(key.get()), point_by_pkcs11_tool(token(), "ed25519"));
}

TEST_F(EdDsaTest, ASignatureIsTwoCallsAndAskingForItsSizeNone) {
  const EvpPkey key = context_.load("keystay:ed25519");
  ASSERT_TRUE(sign(context_, key.get(), nullptr, message_)) << take_errors();  // finds the key
  faults().reset_calls();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(sign(context_, key.get(), nullptr, message_));
  EXPECT_EQ(faults().calls(F::C_SignInit), 10u);
  EXPECT_EQ(faults().calls(F::C_Sign), 10u);
  EXPECT_EQ(faults().calls(), 20u);
}

TEST_F(EdDsaTest, ADigestIsRefusedWithAMessageThatSaysWhatToDo) {
  const EvpPkey key = context_.load("keystay:ed25519");
  EXPECT_FALSE(sign(context_, key.get(), "SHA256", message_));
  EXPECT_THAT(take_errors(), HasSubstr("name no digest"));
}

// As libssl does when a certificate is given to it after its key; such keys have none.
TEST_F(EdDsaTest, ItsParametersCanBeCopied) {
  const EvpPkey key = context_.load("keystay:ed25519");
  const EvpPkey empty(EVP_PKEY_new());
  EXPECT_EQ(EVP_PKEY_copy_parameters(empty.get(), key.get()), 1) << take_errors();
}

TEST_F(EdDsaTest, AReferenceLoadsWithAndWithoutItsPublicKey) {
  for (const std::string label : {"ed25519", "ed448"}) {
    const EvpPkey key = context_.load("keystay:" + label);
    for (const std::string& pem : {reference_with(key.get(), label), bare_reference(label)}) {
      const EvpPkey loaded = context_.read_pem(pem);
      ASSERT_TRUE(loaded) << pem << take_errors();
      EXPECT_EQ(EVP_PKEY_eq(loaded.get(), key.get()), 1) << label;
      const auto signature = sign(context_, loaded.get(), nullptr, message_);
      ASSERT_TRUE(signature) << take_errors();
      EXPECT_TRUE(test::verifies(software_public_key(key.get()).get(), nullptr, message_, *signature));
    }
  }
}

TEST_F(EdDsaTest, InAJobItPausesAndSigns) {
  const EvpPkey key = context_.load("keystay:ed25519");
  std::optional<Bytes> signature;
  SigningJob job([&] {
    signature = sign(context_, key.get(), nullptr, message_);
    return signature.has_value();
  });
  EXPECT_EQ(job.resume(), ASYNC_PAUSE);
  EXPECT_TRUE(job.run());
  ASSERT_TRUE(signature);
  EXPECT_TRUE(test::verifies(software_public_key(key.get()).get(), nullptr, message_, *signature));
}

// `keystay` before `default`: keys that are made or imported are in software, and take no token.
TEST_F(EdDsaTest, OfSoftwareKeysIsSoftware) {
  const LibraryContext first(Order::keystay_first);
  for (const char* algorithm : {"ED25519", "ED448"}) {
    faults().reset_calls();
    const EvpPkey key(EVP_PKEY_Q_keygen(first.get(), nullptr, algorithm));
    ASSERT_TRUE(key) << take_errors();
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get())), "keystay");
    auto signature = sign(first, key.get(), nullptr, message_);
    ASSERT_TRUE(signature) << take_errors();
    const EvpMdContext operation(EVP_MD_CTX_new());
    const auto verify = [&] {
      return EVP_DigestVerifyInit_ex(operation.get(), nullptr, nullptr, first.get(), nullptr, key.get(),
                                     nullptr) == 1 &&
             EVP_DigestVerify(operation.get(), signature->data(), signature->size(), message_.data(),
                              message_.size()) == 1;
    };
    EXPECT_TRUE(verify()) << take_errors();
    signature->front() ^= 1;
    EXPECT_FALSE(verify());
    ERR_clear_error();
    EXPECT_EQ(faults().calls(), 0u);
  }
}

TEST_F(EdDsaTest, OpensslMakesRequestsAndCertificatesAndServes) {
  const EvpPkey key = context_.load("keystay:ed25519");
  file("ed25519.ref", reference_with(key.get(), "ed25519"));
  const Outcome request = openssl(
      {"req", "-new", "-key", path("ed25519.ref"), "-subj", "/CN=localhost", "-out", path("ed25519.csr")});
  EXPECT_TRUE(request.ok()) << request;
  const Outcome verified = run({"openssl", "req", "-in", path("ed25519.csr"), "-noout", "-verify"});
  EXPECT_THAT(verified.output + verified.error, HasSubstr("verify OK"));  // 3.0 says it on stderr
  const Outcome signing = openssl({"pkeyutl", "-sign", "-rawin", "-inkey", "keystay:ed25519", "-in",
                                   path("message"), "-out", path("ed25519.sig")});
  EXPECT_TRUE(signing.ok()) << signing;
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    serve({.key = "ed25519", .options = {"-async"}, .order = order},
          {{"-tls1_2", "-sigalgs", "ed25519"}, {"-tls1_3", "-sigalgs", "ed25519"}});
  }
}

TEST_F(EdDsaTest, PkeyShowsThePublicHalfAndRefusesThePrivateOne) {
  const Outcome text = openssl({"pkey", "-in", "keystay:ed25519", "-noout", "-text"});
  EXPECT_THAT(text.output, HasSubstr("\"ed25519\" on token \"web\""));
  EXPECT_THAT(text.output, HasSubstr("ED25519 Public-Key:"));
  const Outcome refused = openssl({"pkey", "-in", "keystay:ed25519"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, HasSubstr("the private key cannot leave its token"));
}

}  // namespace
}  // namespace keystay::test
