// Which token and key a name or a URI means.
#include "native/keys/tokens.h"

#include "native/config/error.h"
#include "tests/keys/key_store_test.h"

namespace keystay::keys {
namespace {

using testing::HasSubstr;
using testing::Not;

// The token's module is never touched here but where a test says so.
class TokensTest : public testing::Test {
 protected:
  Tokens tokens(const std::string& more = "") {
    return {config::parse_configuration(hsm_.configuration() + more, "keystay.toml"), nullptr};
  }

  std::string other() const {
    return "\n[token.front]\nmodule = \"" + hsm_.module().string() +
           "\"\nlabel = \"other\"\nserial = \"0123\"\npin = \"file:" + hsm_.pin_file().string() + "\"\n";
  }

  config::TokenSettings module_settings() const {
    config::TokenSettings settings;
    settings.module = hsm_.module();
    return settings;
  }

  pkcs11::Pin pin() const { return pkcs11::Pin(hsm_.pin()); }

  test::SoftHsmToken hsm_{"web label", {.front = test::Front::fault_module}};
};

TEST_F(TokensTest, BareAliasIsInTheDefaultToken) {
  Tokens tokens = this->tokens(other());
  const KeyLocation location = tokens.locate("httpd");
  EXPECT_EQ(location.source, tokens.source("web"));
  EXPECT_EQ(location.source, tokens.source(""));
  EXPECT_EQ(location.label, "httpd");
  EXPECT_TRUE(location.id.empty());
}

TEST_F(TokensTest, AliasMayNameItsToken) {
  Tokens tokens = this->tokens(other());
  for (const char* name : {"front/httpd", "keystay:front/httpd"}) {
    const KeyLocation location = tokens.locate(name);
    EXPECT_EQ(location.source, tokens.source("front")) << name;
    EXPECT_EQ(location.label, "httpd") << name;
  }
}

TEST_F(TokensTest, SlashAfterNoTokensNameIsPartOfTheAlias) {
  Tokens tokens = this->tokens();
  EXPECT_EQ(tokens.locate("a/b").label, "a/b");
  EXPECT_EQ(tokens.locate("a/b").source, tokens.source("web"));
  EXPECT_EQ(tokens.locate("keystay:web%2Fa").label, "web/a") << "encoded, it is no delimiter";
}

TEST_F(TokensTest, KeystayUriIsPercentDecoded) {
  EXPECT_EQ(tokens().locate("keystay:schl%C3%BCssel%201").label, "schlüssel 1");
  EXPECT_EQ(tokens().locate("100%").label, "100%") << "a bare alias is not a URI";
  EXPECT_THROW((void)tokens().locate("keystay:100%"), Error);
}

// RFC 3986, section 3.3. What is not a path must not be taken for an alias.
TEST_F(TokensTest, KeystayUriThatIsNoneIsRefused) {
  for (const char* uri :
       {"keystay:my key", "keystay:my key ", "keystay:httpd#2", "keystay:httpd?version=2",
        "keystay:schl\xc3\xbcssel", "keystay:100%", "keystay:%4", "keystay:%4x", "keystay:%00",
        "keystay:caf%E9", "keystay:\"httpd\"", "keystay:a\n", "KEYSTAY:my key"}) {
    EXPECT_THROW((void)tokens().locate(uri), pkcs11::UriError) << uri;
  }
  EXPECT_EQ(tokens().locate("keystay:a:@!$&'()*+,;=~b").label, "a:@!$&'()*+,;=~b");
  EXPECT_EQ(tokens().locate("keystay:httpd%232").label, "httpd#2");
  EXPECT_EQ(tokens().locate("KEYSTAY:httpd").label, "httpd");
  EXPECT_EQ(tokens().locate("my key").label, "my key") << "an alias is no URI";
}

TEST_F(TokensTest, Pkcs11UriIsMatchedWithTheConfigurationByLabelOrSerial) {
  Tokens tokens = this->tokens(other());
  EXPECT_EQ(tokens.locate("pkcs11:token=web%20label;object=httpd").source, tokens.source("web"));
  EXPECT_EQ(tokens.locate("pkcs11:serial=0123;object=httpd").source, tokens.source("front"));
  EXPECT_EQ(tokens.locate("pkcs11:object=httpd").source, tokens.source("web"));
  const KeyLocation location = tokens.locate("pkcs11:token=other;object=httpd;id=%01%ff;type=private");
  EXPECT_EQ(location.label, "httpd");
  EXPECT_EQ(location.id, (Bytes{0x01, 0xff}));
}

// RFC 7512, section 2.3: all attributes must match, those too of which the configuration says nothing.
TEST_F(TokensTest, WhateverAUriSaysOfTheTokenMustBeSo) {
  Tokens tokens = this->tokens();
  const std::string right = "manufacturer=SoftHSM%20project;model=SoftHSM%20v2";
  const std::string label = "token=web%20label";
  for (const std::string& token : {label, label + ";serial=" + hsm_.serial(), std::string("object=httpd")}) {
    const std::string uri = "pkcs11:" + token + ";";
    EXPECT_EQ(tokens.locate(uri + right).source->info().serial, hsm_.serial());
    EXPECT_EQ(tokens.locate(uri + right).source, tokens.locate(uri + right).source) << "one token, one login";
    for (const char* wrong : {"manufacturer=Another", "model=Another"}) {
      const auto error = error_of([&] { (void)tokens.locate(uri + wrong).source->info(); });
      ASSERT_TRUE(error) << uri << wrong;
      EXPECT_THAT(error->what(), HasSubstr("\"Another\""));
      EXPECT_THAT(error->what(), HasSubstr(hsm_.serial())) << "what is there instead";
    }
  }
  EXPECT_TRUE(error_of([&] { (void)tokens.locate("pkcs11:" + label + ";serial=0").source->info(); }));
}

TEST_F(TokensTest, ASerialChoosesBetweenTokensOfTheConfiguredLabel) {
  const std::string twin = hsm_.add_token("web label");
  EXPECT_EQ(tokens().locate("pkcs11:token=web%20label;serial=" + twin).source->info().serial, twin);
}

TEST_F(TokensTest, Pkcs11UriWithAModulePathNeedsNoConfiguration) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01"});
  Tokens tokens{config::Configuration{}, nullptr};
  const std::string uri = "pkcs11:token=web%20label;object=httpd?module-path=" + hsm_.module().string() +
                          "&pin-source=file:" + hsm_.pin_file().string();
  const KeyLocation location = tokens.locate(uri);
  EXPECT_EQ(location.source, tokens.locate(uri).source) << "one token, one login";
  x509::OpenSslPkix pkix;
  EXPECT_TRUE(KeyStore(location.source, pkix).find(location.label, location.id));
  EXPECT_EQ(hsm_.faults().calls(Function::C_Login), 1u);
}

// pkcs11-provider's way: one module, and the URIs choose among its tokens.
TEST_F(TokensTest, AWholeModuleServesUrisAndBareAliasesWithoutAnyTokenSection) {
  hsm_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01"});
  Tokens tokens(config::Configuration{}, nullptr, WholeModule{module_settings(), pin()});
  x509::OpenSslPkix pkix;
  for (const char* name : {"pkcs11:token=web%20label;object=httpd", "pkcs11:object=httpd", "keystay:httpd"}) {
    const KeyLocation location = tokens.locate(name);
    EXPECT_TRUE(KeyStore(location.source, pkix).find(location.label, location.id)) << name;
  }
  EXPECT_EQ(tokens.locate("pkcs11:object=httpd").source, tokens.locate("keystay:httpd").source);
}

TEST_F(TokensTest, AConfiguredTokenComesBeforeTheWholeModule) {
  Tokens tokens(config::parse_configuration(hsm_.configuration(), "keystay.toml"), nullptr,
                WholeModule{module_settings(), std::nullopt});
  EXPECT_EQ(tokens.locate("pkcs11:token=web%20label;object=httpd").source, tokens.source("web"));
  EXPECT_EQ(tokens.locate("keystay:httpd").source, tokens.source("web"));
  EXPECT_NE(tokens.locate("pkcs11:token=other;object=httpd").source, tokens.source("web"));
}

TEST_F(TokensTest, ThePinOfAUriCountsWhereTheConfigurationHasNone) {
  Tokens tokens(config::Configuration{}, nullptr, WholeModule{module_settings(), std::nullopt});
  const std::string uri = "pkcs11:token=web%20label;object=httpd";
  const auto by_value = tokens.locate(uri + "?pin-value=" + hsm_.pin()).source;
  EXPECT_EQ(tokens.locate(uri + "?pin-value=" + hsm_.pin()).source, by_value) << "one token, one login";
  EXPECT_NE(tokens.locate(uri + "?pin-value=another").source, by_value) << "a wrong PIN must not stay";
  EXPECT_NE(tokens.locate(uri + "?pin-source=file:" + hsm_.pin_file().string()).source, by_value);
  by_value->with_session([](pkcs11::Session& session) { EXPECT_EQ(session.state(), CKS_RO_USER_FUNCTIONS); });
  Tokens configured = this->tokens();
  EXPECT_EQ(configured.locate(uri + "?pin-value=another").source, configured.source("web"));
}

TEST_F(TokensTest, APersonIsAskedForThePinThatNobodyGives) {
  int asked = 0;
  const auto ask = [&](std::string_view label) {
    EXPECT_EQ(label, "web label");
    ++asked;
    return pin();
  };
  config::TokenSettings settings = module_settings();
  settings.pin = "prompt";
  Tokens tokens(config::Configuration{}, ask, WholeModule{settings, std::nullopt});
  const auto token = tokens.locate("pkcs11:token=web%20label").source;
  EXPECT_EQ(token->pin_supply(), PinSupply::prompt);
  EXPECT_EQ(tokens.locate("pkcs11:token=web%20label?pin-value=1").source->pin_supply(),
            PinSupply::configured);
  token->with_session([](pkcs11::Session& session) { EXPECT_EQ(session.state(), CKS_RO_USER_FUNCTIONS); });
  EXPECT_EQ(asked, 1);
}

// A module starts once in a process, with the arguments that the configuration has for it.
TEST_F(TokensTest, AUriAndTheWholeModuleTakeTheArgumentsOfTheConfiguration) {
  const auto configuration = config::parse_configuration(
      "[token.nss]\nmodule = \"/lib/nss.so\"\nlabel = \"db\"\nmodule-arguments = \"s3cret\"\n",
      "keystay.toml");
  config::TokenSettings settings;
  settings.module = "/lib/nss.so";
  Tokens tokens(configuration, nullptr, WholeModule{settings, pin()});
  EXPECT_NO_THROW((void)tokens.locate("pkcs11:token=other?module-path=/lib/nss.so"));
  EXPECT_NO_THROW((void)tokens.locate("pkcs11:token=another"));

  settings.module_arguments = "others";
  Tokens others(configuration, nullptr, WholeModule{settings, pin()});
  try {
    (void)others.locate("pkcs11:token=other");
    FAIL();
  } catch (const pkcs11::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/lib/nss.so has other arguments"));
    EXPECT_THAT(error.what(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(TokensTest, UnknownTokenIsAnErrorThatListsThoseThereAre) {
  for (const char* wrong : {"backup", "WEB"}) {
    try {
      (void)tokens(other()).source(wrong);
      ADD_FAILURE() << wrong;
    } catch (const config::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(wrong));
      EXPECT_THAT(error.what(), HasSubstr("front, web"));
    }
  }
}

TEST_F(TokensTest, UriOfAnUnknownTokenSaysWhatToAdd) {
  try {
    (void)tokens().locate("pkcs11:token=nowhere;object=httpd");
    FAIL();
  } catch (const config::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"nowhere\""));
    EXPECT_THAT(error.what(), HasSubstr("[token.NAME]"));
    EXPECT_THAT(error.what(), HasSubstr("module-path"));
  }
}

TEST_F(TokensTest, UriThatSeveralConfiguredTokensMatchIsAnError) {
  const std::string twin = "\n[token.twin]\nmodule = \"" + hsm_.module().string() +
                           "\"\nlabel = \"web label\"\nserial = \"1\"\npin = \"\"\n";
  EXPECT_THROW((void)tokens(twin).locate("pkcs11:token=web%20label;object=httpd"), config::Error);
}

TEST_F(TokensTest, NothingTouchesTheModuleBeforeTheFirstUse) {
  Tokens tokens = this->tokens(other());
  (void)tokens.locate("httpd");
  (void)tokens.locate("pkcs11:token=other;object=x");
  (void)tokens.source("front");
  EXPECT_EQ(hsm_.faults().calls(), 0u);
}

// What nobody uses need not be usable: it is not asked, which a token that is not there would not survive.
TEST_F(TokensTest, LoginsMustBeRepeatableWhereATokenIsUsed) {
  const std::string absent = "/nonexistent/front.pin";
  const std::string front = "\n[token.front]\nmodule = \"" + hsm_.module().string() +
                            "\"\nlabel = \"web label\"\npin = \"file:" + absent + "\"\n";
  Tokens tokens = this->tokens(front + "\n[token.away]\nmodule = \"/nonexistent.so\"\nlabel = \"a\"\n");
  (void)tokens.source("web")->info();
  EXPECT_NO_THROW(tokens.require_repeatable_logins());
  const auto expect_refusal = [&](const char* how) {
    const auto error = error_of([&] { tokens.require_repeatable_logins(); });
    ASSERT_TRUE(error) << how;
    EXPECT_THAT(error->what(), testing::AllOf(HasSubstr(absent), HasSubstr("\"front\""))) << how;
  };
  (void)tokens.locate("front/httpd");
  expect_refusal("by its name");
  Tokens others = this->tokens();
  (void)others.locate("pkcs11:serial=" + hsm_.serial() + "?module-path=" + hsm_.module().string() +
                      "&pin-source=file:" + absent);
  const auto error = error_of([&] { others.require_repeatable_logins(); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr(absent)) << "by what a URI says";
}

TEST_F(TokensTest, WithoutAConfigurationABareAliasSaysSo) {
  try {
    (void)Tokens(config::Configuration{}, nullptr).locate("httpd");
    FAIL();
  } catch (const config::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no token is configured"));
  }
}

}  // namespace
}  // namespace keystay::keys
