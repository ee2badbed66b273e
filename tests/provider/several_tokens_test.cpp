// A URI that names no token, where there are several: those of one module, and those of keystay.toml.
#include "native/x509/pem_reference.h"
#include "native/x509/public_key.h"
#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"
#include "tests/support/signature_check.h"

namespace keystay::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Two tokens of one module, of which no URI of these tests names one.
class SeveralTokensTest : public OpensslProgramTest {
 protected:
  static void SetUpTestSuite() {
    OpensslProgramTest::SetUpTestSuite();
    token().add_token("second");
    for (const char* label : {"web", "second"}) {
      run_or_throw({"pkcs11-tool", "--module", SoftHsmToken::softhsm(), "--token-label", label, "--login",
                    "--pin", token().pin(), "--keypairgen", "--key-type", "EC:prime256v1", "--label", "both",
                    "--id", "31"});
    }
  }

  static std::string uri(const std::string& attributes) {
    return "pkcs11:" + attributes + "?module-path=" + SoftHsmToken::softhsm().string() +
           "&pin-source=file:" + token().pin_file().string();
  }
  Outcome sign_with(const std::string& key) const {
    setenv("KEYSTAY_CONF", file("empty.toml", "").c_str(), 1);
    return openssl({"dgst", "-sha256", "-sign", key, "-out", path("several.sig"), message_});
  }
};

TEST_F(SeveralTokensTest, TheOnlyTokenThatHasTheKeyIsFound) {
  const Outcome done = sign_with(uri("object=ec;type=private"));
  ASSERT_TRUE(done.ok()) << done;
  EXPECT_TRUE(file_verifies("ec", path("several.sig")));
  EXPECT_TRUE(sign_with(uri("id=%02")).ok());
}

TEST_F(SeveralTokensTest, AKeyOnSeveralIsNoChoice) {
  const Outcome refused = sign_with(uri("object=both"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error,
              AllOf(HasSubstr("several have an object of that name"), HasSubstr("add token=")));
  EXPECT_TRUE(sign_with(uri("token=second;object=both")).ok());
}

TEST_F(SeveralTokensTest, AKeyOnNoneIsSaidSo) {
  const Outcome refused = sign_with(uri("object=nobody"));
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.error, AllOf(HasSubstr("none shows"), HasSubstr("\"second\""), HasSubstr("\"web\"")));
}

// Tokens of keystay.toml: `web` is the default one, `second` has keys of its own, `away` is not there.
class ConfiguredTokensTest : public OpensslProgramTest {
 protected:
  static void SetUpTestSuite() {
    OpensslProgramTest::SetUpTestSuite();
    token().add_token("second");
    for (const auto& [label, key, id] :
         {std::tuple("web", "both", "31"), {"second", "both", "31"}, {"second", "mine", "32"}})
      on(label, {"--keypairgen", "--key-type", "EC:prime256v1", "--label", key, "--id", id});
    on("second", {"--keypairgen", "--key-type", "rsa:2048", "--label", "hidden", "--id", "33"});
    on("second", {"--delete-object", "--type", "pubkey", "--label", "hidden"});
  }
  static void on(const std::string& label, const Arguments& arguments) {
    Arguments all = {"pkcs11-tool", "--module",   SoftHsmToken::softhsm(), "--token-label", label, "--login",
                     "--pin",       token().pin()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    run_or_throw(all);
  }

  ConfiguredTokensTest() { configure_tokens("file:" + token().pin_file().string()); }

  static void configure_tokens(const std::string& pin) { configure_tokens(pin, pin); }
  static void configure_tokens(const std::string& pin, const std::string& pin_of_web) {
    std::string text = "default = \"web\"\n";
    for (const char* label : {"web", "away", "second"}) {
      text += std::string("[token.") + label + "]\nmodule = \"" + token().module().string() +
              "\"\nlabel = \"" + label + "\"\npin = \"" + (label == std::string("web") ? pin_of_web : pin) +
              "\"\n";
    }
    setenv("KEYSTAY_CONF", file("several.toml", text).c_str(), 1);
    faults().forget_initialize();  // nobody is logged in
    faults().reset_calls();
  }

  static std::size_t logins() { return faults().calls(Function::C_Login); }
  // The key that a context of its own loads signs; the error otherwise.
  static std::string error_of(const std::string& uri, int expect = OSSL_STORE_INFO_PKEY) {
    const LibraryContext context;
    const EvpPkey key = context.load(uri, expect);
    if (!key) return take_errors();
    if (expect == OSSL_STORE_INFO_PKEY) {
      EXPECT_TRUE(signs(context, key)) << uri;
    }
    return "";
  }
  static bool signs(const LibraryContext& context, const EvpPkey& key) {
    return sign(context, key.get(), "SHA256", bytes_of("message")).has_value();
  }
};

TEST_F(ConfiguredTokensTest, TheOnlyOneThatHasTheKeyIsFound) {
  for (const char* uri : {"pkcs11:object=ec", "pkcs11:object=ec;type=private", "pkcs11:object=mine",
                          "pkcs11:object=mine;type=private", "pkcs11:id=%32", "pkcs11:object=mine;id=%32",
                          "pkcs11:object=mine;manufacturer=SoftHSM%20project"})
    EXPECT_EQ(error_of(uri), "") << uri;
  for (const char* uri : {"pkcs11:object=mine", "pkcs11:object=mine;type=public", "pkcs11:object=ec"})
    EXPECT_EQ(error_of(uri, OSSL_STORE_INFO_PUBKEY), "") << uri;
}

TEST_F(ConfiguredTokensTest, NobodyElseIsLoggedInTo) {
  EXPECT_EQ(error_of("pkcs11:object=mine"), "");
  EXPECT_EQ(logins(), 1u) << "to the token that shows the public key";
}

TEST_F(ConfiguredTokensTest, AKeyThatNoTokenShowsIsFoundAfterALogin) {
  EXPECT_EQ(error_of("pkcs11:object=hidden;type=private"), "");
  EXPECT_EQ(logins(), 2u);
}

TEST_F(ConfiguredTokensTest, AKeyOnSeveralIsNoChoice) {
  for (const char* uri : {"pkcs11:object=both", "pkcs11:object=both;type=private", "pkcs11:id=%31"}) {
    EXPECT_THAT(error_of(uri), AllOf(HasSubstr("several have an object of that name: token \"web\", token "
                                               "\"second\""),
                                     HasSubstr("add token=")))
        << uri;
  }
  EXPECT_EQ(error_of("pkcs11:token=second;object=both"), "");
  EXPECT_EQ(error_of("keystay:both"), "") << "an alias is one of the default token";
}

TEST_F(ConfiguredTokensTest, OfAKeyOnNoneEachTokenIsQuoted) {
  EXPECT_THAT(error_of("pkcs11:object=nobody"),
              AllOf(HasSubstr("none of the configured ones has a private key \"nobody\""),
                    HasSubstr("token \"web\" has none"), HasSubstr("token \"second\" has none"),
                    HasSubstr("token \"away\"")));
  EXPECT_THAT(error_of("keystay:mine"), HasSubstr("token \"web\"")) << "an alias is one of the default token";
}

TEST_F(ConfiguredTokensTest, AFailedLoginHidesNobodyElsesKey) {
  const std::string wrong = file("wrong.pin", "999999");
  std::filesystem::permissions(wrong, std::filesystem::perms::owner_read);
  configure_tokens("file:" + token().pin_file().string(), "file:" + wrong);
  EXPECT_EQ(error_of("pkcs11:object=hidden"), "");
  EXPECT_THAT(error_of("pkcs11:object=nobody"),
              AllOf(HasSubstr("the PIN from file:" + wrong), HasSubstr("token \"second\" has none")));
}

TEST_F(ConfiguredTokensTest, AReferenceThatNamesNoTokenIsOneToo) {
  for (const char* label : {"ec", "mine"}) {
    pkcs11::Uri uri;
    uri.object = label;
    uri.type = CKO_PRIVATE_KEY;
    const LibraryContext context;
    const EvpPkey bare = context.read_pem(x509::encode_pem_reference(uri));
    ASSERT_TRUE(bare) << take_errors();
    EXPECT_TRUE(signs(context, bare)) << take_errors();
    uri.spki = x509::encode_spki_attribute(x509::from_evp_pkey(bare.get()));
    const EvpPkey stated = context.read_pem(x509::encode_pem_reference(uri));
    ASSERT_TRUE(stated) << take_errors();
    EXPECT_TRUE(signs(context, stated)) << take_errors();
  }
}

// Of one token, and an attempt at each other.
TEST_F(ConfiguredTokensTest, APinInTheUriIsTriedOnlyWhereTheKeyShows) {
  configure_tokens("");
  EXPECT_THAT(error_of("pkcs11:object=hidden?pin-value=" + token().pin()),
              HasSubstr("none of the configured"));
  EXPECT_EQ(logins(), 0u);
  EXPECT_EQ(error_of("pkcs11:object=mine?pin-value=" + token().pin()), "");
  EXPECT_EQ(logins(), 1u);
}

}  // namespace
}  // namespace keystay::test
