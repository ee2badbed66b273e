// Keys that EVP generates on a token, and only there where a URI says so.
#include "native/config/file.h"
#include "tests/provider/openssl_program.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

class TokenKeyGenerationTest : public OpensslProgramTest {
 protected:
  // `openssl genpkey` with these options; the key file is `name`.
  static Outcome genpkey(const std::string& name, const Arguments& options) {
    Arguments arguments{"genpkey", "-propquery", "?provider=keystay", "-out", path(name)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return openssl(arguments);
  }

  static std::string read(const std::string& name) { return config::read_file(path(name)); }

  LibraryContext context_;
};

TEST_F(TokenKeyGenerationTest, GenpkeyMakesAnAliasAndWritesItsReference) {
  const std::vector<Arguments> kinds{
      {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "pkcs11_uri:keystay:made-rsa"},
      {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-pkeyopt",
       "pkcs11_uri:pkcs11:token=web;object=made-ec"},
      {"-algorithm", "ED25519", "-pkeyopt", "pkcs11_uri:keystay:web/made-ed"}};
  for (const Arguments& options : kinds) {
    const Outcome made = genpkey("made.key", options);
    ASSERT_TRUE(made.ok()) << made;
    EXPECT_THAT(read("made.key"), HasSubstr("BEGIN PKCS#11 PROVIDER URI"));
    const EvpPkey key = context_.read_pem(read("made.key"));
    ASSERT_TRUE(key) << options.back() << take_errors();
    const bool edwards = options[1] == "ED25519";
    EXPECT_TRUE(sign(context_, key.get(), edwards ? nullptr : "SHA256", bytes_of("made"))) << take_errors();
  }
  EXPECT_THAT(token().pkcs11_tool({"--list-objects", "--type", "privkey"}),
              testing::AllOf(HasSubstr("made-rsa"), HasSubstr("made-ec"), HasSubstr("made-ed")));
  // libp11, the witness of other tests, lists no keys where there is one that it does not know.
  for (const char* type : {"privkey", "pubkey"})
    token().pkcs11_tool({"--delete-object", "--type", type, "--label", "made-ed"});
}

TEST_F(TokenKeyGenerationTest, WithoutAUriTheKeyIsInSoftware) {
  const std::string before = token().pkcs11_tool({"--list-objects"});
  const Outcome made = genpkey("soft.key", {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"});
  EXPECT_TRUE(made.ok()) << made;
  EXPECT_THAT(read("soft.key"), HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_EQ(token().pkcs11_tool({"--list-objects"}), before);
}

TEST_F(TokenKeyGenerationTest, WhatCannotBeMadeIsOneClearErrorAndMakesNothing) {
  const std::string before = token().pkcs11_tool({"--list-objects"});
  const std::pair<Arguments, const char*> cases[] = {
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:keystay:rsa"}, "already"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:token=web"}, "names no alias"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:object=x;id=%01"}, "leave id= out"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:keystay:x", "-pkeyopt", "rsa_keygen_pubexp:3"}, "65537"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:keystay:x", "-pkeyopt", "rsa_keygen_bits:1024"},
       "2048 to"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:keystay:x", "-pkeyopt", "pkcs11_key_usage:wrap"},
       "\"wrap\""}};
  for (const auto& [options, why] : cases) {
    const Outcome refused = genpkey("refused.key", options);
    EXPECT_EQ(refused.exit_code, 1) << refused;
    EXPECT_THAT(refused.error, HasSubstr(why));
  }
  EXPECT_EQ(token().pkcs11_tool({"--list-objects"}), before);
}

TEST_F(TokenKeyGenerationTest, AKeyDecryptsOrAgreesIfThatIsAskedFor) {
  ASSERT_TRUE(genpkey("use.key", {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt",
                                  "pkcs11_uri:keystay:use", "-pkeyopt",
                                  "pkcs11_key_usage:digitalSignature keyEncipherment"})
                  .ok());
  EXPECT_THAT(token().pkcs11_tool({"--list-objects", "--type", "privkey", "--label", "use"}),
              HasSubstr("decrypt"));
}

}  // namespace
}  // namespace keystay::test
