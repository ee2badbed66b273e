// Keys that are for RSASSA-PSS only, by CKA_ALLOWED_MECHANISMS or by a certificate of id-RSASSA-PSS, with and
// without parameters (RFC 4055).
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using pkcs11::Bytes;
using testing::AllOf;
using testing::HasSubstr;

// The same modulus as that of `key`, bound to this digest and this shortest salt; to none if it is null.
EvpPkey as_rsa_pss(const EVP_PKEY* key, const char* digest = nullptr, int salt = 0) {
  BIGNUM* modulus = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
  const x509::BigNumber owner(modulus);
  const x509::OsslParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus);
  OSSL_PARAM_BLD_push_uint(builder.get(), OSSL_PKEY_PARAM_RSA_E, RSA_F4);
  if (digest) {
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_RSA_DIGEST, digest, 0);
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, digest, 0);
    OSSL_PARAM_BLD_push_int(builder.get(), OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, salt);
  }
  const x509::OsslParams params(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()), 1) << take_errors();
  return EvpPkey(made);
}

// "allowed": PSS by CKA_ALLOWED_MECHANISMS, without a certificate. "certified", "bound": RSA keys with
// certificates that say RSA-PSS, the second bound to SHA-384 and a salt of at least 48 bytes.
class RsaPssTest : public OpensslServerTest {
 protected:
  RsaPssTest() : OpensslServerTest(std::vector<std::string>{}) {}

  static void SetUpTestSuite() {
    OpensslServerTest::SetUpTestSuite();
    token().pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "allowed", "--id", "11",
                         "--allowed-mechanisms", "RSA-PKCS-PSS,SHA256-RSA-PKCS-PSS"});
    token().pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "certified", "--id", "12"});
    token().pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "bound", "--id", "13"});
    certify("certified", "12", as_rsa_pss(public_key("certified").get()));
    certify("bound", "13", as_rsa_pss(public_key("bound").get(), "SHA384", 48));
  }

  // A certificate for this public key on the token, beside the key.
  static void certify(const std::string& label, const std::string& id, const EvpPkey& key) {
    const x509::InputOutput pem(BIO_new_file(path(label + ".pss.pub").c_str(), "w"));
    ASSERT_EQ(PEM_write_bio_PUBKEY(pem.get(), key.get()), 1) << take_errors();
    ASSERT_EQ(BIO_flush(pem.get()), 1);
    ca("req", {"-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ca", "-keyout", path("ca.key"), "-out",
               path("ca.pem")});
    ca("req", {"-new", "-key", path("ca.key"), "-subj", "/CN=localhost", "-out", path("csr")});
    ca("x509",
       {"-req", "-in", path("csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial",
        "-force_pubkey", path(label + ".pss.pub"), "-extfile", file("ext", "subjectAltName=DNS:localhost\n"),
        "-outform", "DER", "-out", path(label + ".der")});
    token().pkcs11_tool(
        {"--write-object", path(label + ".der"), "--type", "cert", "--id", id, "--label", label});
  }
  static void ca(const std::string& command, Arguments options) {
    options.insert(options.begin(), {"openssl", command});
    run_or_throw(options);
  }

  [[nodiscard]] EvpPkey load(const std::string& label) const {
    EvpPkey key = context_.load("keystay:" + label);
    EXPECT_TRUE(key) << take_errors();
    return key;
  }
  [[nodiscard]] std::optional<Bytes> sign(EVP_PKEY* key, const char* digest,
                                          const Configure& configure = {}) const {
    return test::sign(context_, key, digest, message_, configure);
  }

  LibraryContext context_;
  Bytes message_ = bytes_of("signed by PSS");
};

TEST_F(RsaPssTest, SuchKeysAreOfTheTypeRsaPssAndEqualTheirPublicHalf) {
  for (const std::string label : {"allowed", "certified", "bound"}) {
    const EvpPkey key = load(label);
    EXPECT_EQ(EVP_PKEY_is_a(key.get(), "RSA-PSS"), 1) << label;
    EXPECT_EQ(EVP_PKEY_is_a(key.get(), "RSA"), 0) << label;
    EXPECT_EQ(EVP_PKEY_eq(key.get(), as_rsa_pss(public_key(label).get()).get()), 1) << label << take_errors();
  }
  EXPECT_EQ(EVP_PKEY_is_a(load("rsa").get(), "RSA"), 1) << "an RSA key without any of this";
}

TEST_F(RsaPssTest, SignsByPssWithoutBeingAskedTo) {
  for (const std::string label : {"allowed", "certified"}) {
    const EvpPkey key = load(label);
    const EvpPkey peer = as_rsa_pss(public_key(label).get());
    for (const char* digest : {"SHA256", "SHA512"}) {
      const auto signature = sign(key.get(), digest);
      ASSERT_TRUE(signature) << label << take_errors();
      EXPECT_TRUE(verifies(peer.get(), digest, message_, *signature)) << label;
    }
    const auto signature = sign(key.get(), "SHA256", pss(RSA_PSS_SALTLEN_DIGEST));
    ASSERT_TRUE(signature) << label << take_errors();
    EXPECT_TRUE(verifies(peer.get(), "SHA256", message_, *signature, pss(RSA_PSS_SALTLEN_DIGEST)));
  }
}

TEST_F(RsaPssTest, APublicKeyInACertificateBindsItsPrivateKeyOnTheToken) {
  const EvpPkey key = load("bound");
  const EvpPkey peer = as_rsa_pss(public_key("bound").get(), "SHA384", 48);
  const auto signature = sign(key.get(), "SHA384");
  ASSERT_TRUE(signature) << take_errors();
  EXPECT_TRUE(verifies(peer.get(), "SHA384", message_, *signature));
  const auto by_its_digest = sign_digest(context_, key.get(), Bytes(48, 0x5a));
  EXPECT_TRUE(by_its_digest) << take_errors();

  // A digest that was refused is not taken all the same.
  const auto insist = [](EVP_PKEY_CTX* context) {
    EXPECT_LE(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 0);
    ERR_clear_error();
    return 1;
  };
  EXPECT_FALSE(sign_digest(context_, key.get(), Bytes(32, 0x5a), insist));
  EXPECT_THAT(take_errors(), HasSubstr("another length"));

  EXPECT_FALSE(sign(key.get(), "SHA256"));
  EXPECT_THAT(take_errors(), HasSubstr("digest not allowed"));
  EXPECT_FALSE(sign(key.get(), "SHA384", pss(20)));
  EXPECT_NE(take_errors(), "");
}

TEST_F(RsaPssTest, Pkcs1AndDecryptionAreRefusedClearly) {
  for (const std::string label : {"allowed", "certified", "bound"}) {
    const EvpPkey key = load(label);
    EXPECT_FALSE(sign(key.get(), "SHA384", [](EVP_PKEY_CTX* context) {
      return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    }));
    EXPECT_THAT(take_errors(), HasSubstr("PKCS#1 padding not allowed with RSA-PSS")) << label;
    const EvpPkeyContext decryption(EVP_PKEY_CTX_new_from_pkey(context_.get(), key.get(), nullptr));
    EXPECT_NE(EVP_PKEY_decrypt_init(decryption.get()), 1);
    EXPECT_THAT(take_errors(), HasSubstr("an RSA-PSS key, which only signs")) << label;
  }
}

// The certificate says RSA, so that servers need an RSA key; what the token forbids, it says itself.
TEST_F(RsaPssTest, AnRsaCertificateMakesAnRsaKeyWhatEverTheTokenAllows) {
  token().pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "mixed", "--id", "14",
                       "--allowed-mechanisms", "RSA-PKCS-PSS"});
  certify("mixed", "14", public_key("mixed"));
  const EvpPkey key = load("mixed");
  EXPECT_EQ(EVP_PKEY_is_a(key.get(), "RSA"), 1);
  EXPECT_TRUE(sign(key.get(), "SHA256", pss(32))) << take_errors();
  EXPECT_FALSE(sign(key.get(), "SHA256"));
  const std::string errors = take_errors();
  EXPECT_THAT(errors, AllOf(HasSubstr("alias \"mixed\" on token \"web\""),
                            HasSubstr("CKA_ALLOWED_MECHANISMS of the key lacks CKM_RSA_PKCS"),
                            HasSubstr("use another scheme")));
  EXPECT_EQ(keystay_entries(errors), 1) << errors;
}

TEST_F(RsaPssTest, AReferenceCarriesTheKindAndTheParameters) {
  for (const std::string label : {"allowed", "certified", "bound"}) {
    const Outcome exported = run({std::string(std::getenv("KEYSTAY_BUILD")) + "/bin/keystay", "-exportref",
                                  "-alias", label, "-file", path(label + ".ref")},
                                 {.environment = program_environment()});
    ASSERT_TRUE(exported.ok()) << exported;
    faults().reset_calls();
    const EvpPkey key = context_.read_pem(read_file(path(label + ".ref")));
    ASSERT_TRUE(key) << label << take_errors();
    EXPECT_EQ(faults().calls(), 0u) << "reading a reference touched the token";
    EXPECT_EQ(EVP_PKEY_is_a(key.get(), "RSA-PSS"), 1) << label;
    EXPECT_TRUE(sign(key.get(), "SHA384")) << label << take_errors();
    EXPECT_EQ(sign(key.get(), "SHA256").has_value(), label != "bound");
    ERR_clear_error();
  }
}

TEST_F(RsaPssTest, ReqMakesCertificatesOfRsaPssKeys) {
  const Outcome made = openssl(
      {"req", "-x509", "-new", "-key", "keystay:allowed", "-subj", "/CN=pss", "-out", path("pss.crt")});
  ASSERT_TRUE(made.ok()) << made;
  const Outcome text = run({"openssl", "x509", "-in", path("pss.crt"), "-noout", "-text"});
  EXPECT_THAT(text.output, AllOf(HasSubstr("Public Key Algorithm: rsassaPss"),
                                 HasSubstr("Signature Algorithm: rsassaPss")));
  EXPECT_TRUE(run({"openssl", "verify", "-CAfile", path("pss.crt"), path("pss.crt")}).ok());
}

// TLS 1.3 and 1.2 with rsa_pss_pss_sha256 (RFC 8446, section 4.2.3).
TEST_F(RsaPssTest, ServersServeSuchACertificateInEitherOrderOfProviders) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    const Outcome reference =
        openssl({"pkey", "-in", "keystay:allowed", "-pubout", "-out", path("pub")}, order);
    ASSERT_TRUE(reference.ok()) << reference;
    file("allowed.ref", bare_reference("allowed"));
    serve({.key = "allowed", .order = order},
          {{"-tls1_3", "-sigalgs", "rsa_pss_pss_sha256"}, {"-tls1_2", "-sigalgs", "rsa_pss_pss_sha256"}});
  }
}

TEST_F(RsaPssTest, RsaPssKeysOfOthersStayInSoftwareInEitherOrderOfProviders) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    const LibraryContext context(order);
    faults().reset_calls();
    const EvpPkeyContext generator(EVP_PKEY_CTX_new_from_name(context.get(), "RSA-PSS", nullptr));
    EVP_PKEY* made = nullptr;
    ASSERT_EQ(EVP_PKEY_keygen_init(generator.get()), 1) << take_errors();
    ASSERT_EQ(EVP_PKEY_generate(generator.get(), &made), 1) << take_errors();
    const EvpPkey key(made);
    const auto signature = test::sign(context, key.get(), "SHA256", message_);
    ASSERT_TRUE(signature) << take_errors();
    const x509::InputOutput bio(BIO_new(BIO_s_mem()));
    ASSERT_EQ(PEM_write_bio_PUBKEY(bio.get(), key.get()), 1) << take_errors();
    const EvpPkey peer(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    EXPECT_TRUE(verifies(peer.get(), "SHA256", message_, *signature));
    EXPECT_EQ(faults().calls(), 0u);
  }
}

}  // namespace
}  // namespace keystay::test
