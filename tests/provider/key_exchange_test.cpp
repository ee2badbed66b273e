// ECDH with keys on a token: the same secret as in software, from every kind of peer, and none from a point
// that is no peer's.
#include <functional>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "native/x509/public_key.h"
#include "tests/provider/openssl_program.h"
#include "tests/provider/signing_job.h"

namespace keystay::test {
namespace {

using F = Function;
using pkcs11::Bytes;
using pkcs11::ByteView;
using testing::HasSubstr;
using Configure = std::function<int(EVP_PKEY_CTX*)>;

constexpr const char* kCurves[] = {"P-256", "P-384", "P-521"};

// X9.63 with SHA-384 and these bytes beside the secret.
int x963(EVP_PKEY_CTX* context) {
  constexpr std::string_view kUkm = "user keying material";
  const bool set =
      EVP_PKEY_CTX_set_ecdh_kdf_type(context, EVP_PKEY_ECDH_KDF_X9_63) > 0 &&
      EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha384()) > 0 &&
      EVP_PKEY_CTX_set_ecdh_kdf_outlen(context, 100) > 0 &&
      EVP_PKEY_CTX_set0_ecdh_kdf_ukm(
          context, static_cast<unsigned char*>(OPENSSL_memdup(kUkm.data(), kUkm.size())), kUkm.size()) > 0;
  return set ? 1 : 0;
}

int cofactor(EVP_PKEY_CTX* context) { return EVP_PKEY_CTX_set_ecdh_cofactor_mode(context, 1); }

// Nothing, with the reason on the error queue, if it fails. A null libctx is the default one.
std::optional<Bytes> derive(OSSL_LIB_CTX* libctx, EVP_PKEY* own, EVP_PKEY* peer,
                            const Configure& configure = {}) {
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(libctx, own, nullptr));
  std::size_t size = 0;
  if (EVP_PKEY_derive_init(context.get()) != 1 || (configure && configure(context.get()) <= 0) ||
      EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
      EVP_PKEY_derive(context.get(), nullptr, &size) != 1) {
    return std::nullopt;
  }
  Bytes secret(size);
  if (EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) return std::nullopt;
  secret.resize(size);
  return secret;
}

class KeyExchangeTest : public OpensslProgramTest {
 protected:
  KeyExchangeTest() : OpensslProgramTest(std::vector<std::string>{}) {}

  static void SetUpTestSuite() {
    OpensslProgramTest::SetUpTestSuite();
    for (const auto& [label, curve] :
         {std::pair("P-256", "EC:prime256v1"), std::pair("P-384", "EC:secp384r1"),
          std::pair("P-521", "EC:secp521r1")}) {
      token().pkcs11_tool({"--keypairgen", "--key-type", curve, "--label", label, "--id",
                           "1" + std::string(1, label[2]), "--usage-derive", "--usage-sign"});
    }
    token().pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--label", "signs", "--id", "20", "--usage-sign"});
  }

  // A key pair of the default library context, as a peer far away has it.
  static EvpPkey peer(const char* curve) { return EvpPkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)); }

  [[nodiscard]] EvpPkey load(const std::string& label) const {
    EvpPkey key = context_.load("keystay:" + label);
    EXPECT_TRUE(key) << take_errors();
    return key;
  }
  [[nodiscard]] std::optional<Bytes> derive(EVP_PKEY* own, EVP_PKEY* other,
                                            const Configure& configure = {}) const {
    return test::derive(context_.get(), own, other, configure);
  }

  LibraryContext context_;
};

TEST_F(KeyExchangeTest, BothSidesHaveOneSecretOnEveryCurveInEveryOrderOfProviders) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    const LibraryContext context(order);
    for (const char* curve : kCurves) {
      const EvpPkey ours = context.load(std::string("keystay:") + curve);
      const EvpPkey theirs = peer(curve);
      const auto secret = test::derive(context.get(), ours.get(), theirs.get());
      ASSERT_TRUE(secret) << curve << take_errors();
      EXPECT_EQ(secret, test::derive(nullptr, theirs.get(), public_key(curve).get())) << curve;
    }
  }
}

TEST_F(KeyExchangeTest, CofactorModeAndX963DeriveWhatTheDefaultProviderDerives) {
  for (const char* curve : kCurves) {
    const EvpPkey ours = load(curve);
    const EvpPkey theirs = peer(curve);
    for (const Configure& configure : {Configure(x963), Configure(cofactor)}) {
      const auto secret = derive(ours.get(), theirs.get(), configure);
      ASSERT_TRUE(secret) << curve << take_errors();
      EXPECT_EQ(secret, test::derive(nullptr, theirs.get(), public_key(curve).get(), configure)) << curve;
    }
  }
}

TEST_F(KeyExchangeTest, TheParametersCanBeRead) {
  const EvpPkey ours = load("P-256");
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(context_.get(), ours.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1) << take_errors();
  ASSERT_EQ(x963(context.get()), 1) << take_errors();
  EXPECT_EQ(EVP_PKEY_CTX_get_ecdh_kdf_type(context.get()), EVP_PKEY_ECDH_KDF_X9_63);
  const EVP_MD* digest = nullptr;
  EXPECT_EQ(EVP_PKEY_CTX_get_ecdh_kdf_md(context.get(), &digest), 1);
  EXPECT_TRUE(EVP_MD_is_a(digest, "SHA384"));
  int size = 0;
  EXPECT_EQ(EVP_PKEY_CTX_get_ecdh_kdf_outlen(context.get(), &size), 1);
  EXPECT_EQ(size, 100);
}

TEST_F(KeyExchangeTest, ADuplicatedContextDerivesOnItsOwn) {
  const EvpPkey ours = load("P-256");
  const EvpPkey theirs = peer("P-256");
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(context_.get(), ours.get(), nullptr));
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1) << take_errors();
  ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), 1) << take_errors();
  const EvpPkeyContext copy(EVP_PKEY_CTX_dup(context.get()));
  ASSERT_TRUE(copy) << take_errors();
  std::size_t size = 32;
  Bytes one(size);
  Bytes other(size);
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1) << "the original is used for something else";
  ASSERT_EQ(EVP_PKEY_derive(copy.get(), one.data(), &size), 1) << take_errors();
  ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), 1);
  ASSERT_EQ(EVP_PKEY_derive(context.get(), other.data(), &size), 1) << take_errors();
  EXPECT_EQ(one, other);
}

TEST_F(KeyExchangeTest, ThePeersKeyMayBeOneOfOurTokenToo) {
  const EvpPkey ours = load("P-256");
  const EvpPkey theirs = load("signs");  // no CKA_DERIVE, which a peer's key does not need
  const auto secret = derive(ours.get(), theirs.get());
  ASSERT_TRUE(secret) << take_errors();
  EXPECT_EQ(secret->size(), 32u);

  const EvpPkey software = peer("P-256");
  const EvpPkey public_half = context_.load("keystay:P-256", OSSL_STORE_INFO_PUBKEY);
  const auto agreed = test::derive(nullptr, software.get(), public_half.get());
  ASSERT_TRUE(agreed) << take_errors();
  EXPECT_EQ(agreed, derive(ours.get(), software.get())) << take_errors();
}

TEST_F(KeyExchangeTest, CostsOneDerivationAndBeginningAndAskingForTheSizeNothing) {
  const EvpPkey ours = load("P-256");
  const EvpPkey theirs = peer("P-256");
  ASSERT_TRUE(derive(ours.get(), theirs.get())) << take_errors();  // opens the session, copies the key
  faults().reset_calls();
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(context_.get(), ours.get(), nullptr));
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), 1);
  ASSERT_EQ(EVP_PKEY_derive(context.get(), nullptr, &size), 1);
  EXPECT_EQ(faults().calls(), 0u);
  Bytes secret(size);
  ASSERT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &size), 1);
  EXPECT_EQ(faults().calls(F::C_DeriveKey), 1u);
  EXPECT_EQ(faults().calls(), 3u);  // the secret is read, and its object destroyed
}

// Small subgroups and other curves: the answers to such points would give the private key away.
TEST_F(KeyExchangeTest, APeerThatIsNotOnTheCurveNeverReachesTheToken) {
  const EvpPkey ours = load("P-256");
  ASSERT_TRUE(derive(ours.get(), peer("P-256").get())) << take_errors();
  faults().reset_calls();
  for (const char* curve : {"P-384", "secp256k1"}) {
    EXPECT_FALSE(derive(ours.get(), peer(curve).get()));
    EXPECT_NE(take_errors(), "");
  }
  const EvpPkeyContext context(EVP_PKEY_CTX_new_from_pkey(context_.get(), ours.get(), nullptr));
  Bytes secret(32);
  std::size_t size = secret.size();
  ASSERT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_NE(EVP_PKEY_derive(context.get(), secret.data(), &size), 1) << "a secret without a peer";
  EXPECT_THAT(take_errors(), HasSubstr("without the peer's key"));
  EXPECT_EQ(faults().calls(), 0u);
}

TEST_F(KeyExchangeTest, AKeyWithoutCkaDeriveIsRefusedInOneLineThatSaysWhy) {
  const EvpPkey ours = load("signs");
  EXPECT_FALSE(derive(ours.get(), peer("P-256").get()));
  const std::string errors = take_errors();
  EXPECT_THAT(errors,
              testing::AllOf(HasSubstr("alias \"signs\" on token \"web\""),
                             HasSubstr("it was made without CKA_DERIVE"), HasSubstr("make a new key")));
  EXPECT_EQ(keystay_entries(errors), 1) << errors;
}

TEST_F(KeyExchangeTest, AJobPausesWhileTheTokenDerives) {
  faults().delay(F::C_DeriveKey, std::chrono::milliseconds(5));
  const EvpPkey ours = load("P-384");
  const EvpPkey theirs = peer("P-384");
  std::optional<Bytes> secret;
  SigningJob job([&] {
    secret = derive(ours.get(), theirs.get(), x963);
    return secret.has_value();
  });
  EXPECT_EQ(job.resume(), ASYNC_PAUSE);
  ASSERT_TRUE(job.run()) << take_errors();
  EXPECT_EQ(secret, test::derive(nullptr, theirs.get(), public_key("P-384").get(), x963));
}

TEST_F(KeyExchangeTest, ALostSessionIsRepairedBehindTheScenes) {
  const EvpPkey ours = load("P-256");
  const EvpPkey theirs = peer("P-256");
  const auto before = derive(ours.get(), theirs.get());
  faults().drop_sessions();
  EXPECT_EQ(derive(ours.get(), theirs.get()), before) << take_errors();
}

TEST_F(KeyExchangeTest, PkeyutlDerivesByAliasAndReference) {
  file("P-256.ref", reference("P-256"));
  const std::string their_key = path("peer.key");
  ASSERT_TRUE(run({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                   their_key})
                  .ok());
  ASSERT_TRUE(run({"openssl", "pkey", "-in", their_key, "-pubout", "-out", path("peer.pub")}).ok());
  ASSERT_TRUE(openssl({"pkey", "-in", "keystay:P-256", "-pubout", "-out", path("our.pub")}).ok());
  const Outcome theirs = run({"openssl", "pkeyutl", "-derive", "-inkey", their_key, "-peerkey",
                              path("our.pub"), "-out", path("their.secret")});
  ASSERT_TRUE(theirs.ok()) << theirs;
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    for (const std::string& name : {std::string("keystay:P-256"), path("P-256.ref")}) {
      const Outcome ours = openssl(
          {"pkeyutl", "-derive", "-inkey", name, "-peerkey", path("peer.pub"), "-out", path("our.secret")},
          order);
      EXPECT_EQ(ours.exit_code, 0) << name << ours;
      EXPECT_EQ(read_file(path("our.secret")), read_file(path("their.secret"))) << name;
    }
  }
}

// S/MIME to an EC certificate (RFC 5753): ECDH, X9.63, key wrap.
TEST_F(KeyExchangeTest, CmsDecryptsWhatWasEncryptedToAnEcCertificate) {
  for (const std::string curve : {"P-256", "P-521"}) {
    ASSERT_TRUE(openssl({"req", "-x509", "-new", "-key", "keystay:" + curve, "-subj", "/CN=reader", "-addext",
                         "keyUsage=keyAgreement", "-out", path("reader.pem")})
                    .ok());
    const Outcome encrypted = run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", message_, "-binary",
                                   "-outform", "PEM", "-out", path("secret.cms"), path("reader.pem")});
    ASSERT_TRUE(encrypted.ok()) << encrypted;
    for (const Order order : {Order::keystay_first, Order::keystay_last}) {
      const Outcome read = openssl({"cms", "-decrypt", "-in", path("secret.cms"), "-inform", "PEM", "-inkey",
                                    "keystay:" + curve, "-recip", path("reader.pem")},
                                   order);
      EXPECT_EQ(read.exit_code, 0) << read;
      EXPECT_EQ(read.output, read_file(message_));
    }
  }
}

TEST_F(KeyExchangeTest, AKeyThatEvpGeneratesForAgreementAgrees) {
  const Outcome made = openssl({"genpkey", "-propquery", "?provider=keystay", "-algorithm", "EC", "-pkeyopt",
                                "ec_paramgen_curve:P-256", "-pkeyopt", "pkcs11_uri:keystay:agrees",
                                "-pkeyopt", "pkcs11_key_usage:keyAgreement", "-out", path("agrees.key")});
  ASSERT_TRUE(made.ok()) << made;
  const EvpPkey ours = context_.read_pem(read_file(path("agrees.key")));
  EXPECT_TRUE(derive(ours.get(), peer("P-256").get())) << take_errors();
}

}  // namespace
}  // namespace keystay::test
