// Keys that EVP generates on a token, and only there where a URI says so.
#include <algorithm>
#include <iterator>
#include <sstream>

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

  // The words after "Usage:" of pkcs11-tool.
  static std::vector<std::string> rights_of(const std::string& label) {
    const std::string listed = token().pkcs11_tool({"--list-objects", "--type", "privkey"});  // it lists all
    const std::size_t key = listed.find("label:      " + label + "\n");
    const std::size_t from = key == listed.npos ? key : listed.find("Usage:", key);
    std::string words =
        from == listed.npos ? "" : listed.substr(from + 6, listed.find('\n', from) - from - 6);
    std::ranges::replace(words, ',', ' ');
    std::istringstream each(words);
    return {std::istream_iterator<std::string>(each), {}};
  }

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
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:keystay:RSA"}, "alias \"rsa\" already exists"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:object=x;type=cert"}, "names no private key"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:token=web"}, "names no alias"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:object=x;id=%01"}, "has the CKA_ID 01 already"},
      {{"-algorithm", "RSA", "-pkeyopt", "pkcs11_uri:pkcs11:object=x y"}, "a blank is written %20"},
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

TEST_F(TokenKeyGenerationTest, AKeyGetsTheIdOfItsUri) {
  for (const Arguments& kind : {Arguments{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
                                Arguments{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}}) {
    Arguments options = kind;
    options.insert(options.end(), {"-pkeyopt", "pkcs11_uri:pkcs11:token=web;object=numbered;id=%4E%75"});
    const Outcome made = genpkey("numbered.key", options);
    ASSERT_TRUE(made.ok()) << made;
    const EvpPkey by_reference = context_.read_pem(read("numbered.key"));
    const EvpPkey by_id = context_.load("pkcs11:token=web;id=%4E%75");
    ASSERT_TRUE(by_reference && by_id) << take_errors();
    EXPECT_EQ(EVP_PKEY_eq(by_reference.get(), by_id.get()), 1);
    EXPECT_TRUE(sign(context_, by_reference.get(), "SHA256", bytes_of("made"))) << take_errors();
    for (const char* type : {"privkey", "pubkey"})
      token().pkcs11_tool({"--delete-object", "--type", type, "--id", "4e75"});
  }
}

struct Usage {
  Arguments kind;
  const char* words;
  std::vector<std::string> rights;  // of the private key, as pkcs11-tool names them
};

// Each word by itself, and two together: of a key that signs, TLS would take a signature.
TEST_F(TokenKeyGenerationTest, AKeyMayDoWhatWasAskedForAndNothingElse) {
  const Arguments rsa{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"};
  const Arguments ec{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"};
  const Arguments ed{"-algorithm", "ED25519"};
  const Usage usages[] = {{rsa, "digitalSignature", {"sign", "signRecover"}},
                          {rsa, "keyCertSign cRLSign nonRepudiation", {"sign", "signRecover"}},
                          {rsa, "keyEncipherment", {"decrypt"}},
                          {rsa, "dataEncipherment", {"decrypt"}},
                          {rsa, "digitalSignature keyEncipherment", {"decrypt", "sign", "signRecover"}},
                          {ec, "digitalSignature", {"sign", "signRecover"}},
                          {ec, "keyAgreement", {"derive"}},
                          {ec, "digitalSignature keyAgreement", {"sign", "signRecover", "derive"}},
                          {ed, "digitalSignature", {"sign", "signRecover"}}};
  for (const Usage& usage : usages) {
    Arguments options = usage.kind;
    options.insert(options.end(), {"-pkeyopt", "pkcs11_uri:keystay:right", "-pkeyopt",
                                   std::string("pkcs11_key_usage:") + usage.words});
    const Outcome made = genpkey("right.key", options);
    ASSERT_TRUE(made.ok()) << usage.words << made;
    const auto rights = rights_of("right");
    for (const std::string& right : rights) {
      EXPECT_THAT(usage.rights, testing::Contains(right)) << usage.kind[1] << ' ' << usage.words;
    }
    for (const std::string& right : usage.rights) {
      if (right == "signRecover") continue;  // not every token tells it
      EXPECT_THAT(rights, testing::Contains(right)) << usage.kind[1] << ' ' << usage.words;
    }
    for (const char* type : {"privkey", "pubkey"})
      token().pkcs11_tool({"--delete-object", "--type", type, "--label", "right"});
  }
}

TEST_F(TokenKeyGenerationTest, AUseThatTheKeyCannotHaveIsRefused) {
  const std::string before = token().pkcs11_tool({"--list-objects"});
  const std::pair<const char*, const char*> cases[] = {
      {"RSA", "keyAgreement"},     {"RSA", "digitalSignature keyAgreement"},
      {"EC", "keyEncipherment"},   {"EC", "dataEncipherment"},
      {"ED25519", "keyAgreement"}, {"ED25519", "keyEncipherment"},
      {"RSA", "encipherOnly"},     {"RSA", " "},
      {"RSA", "digitalsignature"}, {"EC", "digitalSignature,keyAgreement"}};
  for (const auto& [algorithm, words] : cases) {
    Arguments options{"-algorithm",           algorithm,  "-pkeyopt",
                      "pkcs11_uri:keystay:x", "-pkeyopt", std::string("pkcs11_key_usage:") + words};
    if (std::string_view(algorithm) == "EC")
      options.insert(options.end(), {"-pkeyopt", "ec_paramgen_curve:P-256"});
    const Outcome refused = genpkey("refused.key", options);
    EXPECT_EQ(refused.exit_code, 1) << algorithm << words << refused;
    EXPECT_THAT(refused.error,
                testing::AllOf(HasSubstr("pkcs11_key_usage"), HasSubstr("use one or more of")));
  }
  EXPECT_EQ(token().pkcs11_tool({"--list-objects"}), before);
}

TEST_F(TokenKeyGenerationTest, AKeyDecryptsOrAgreesIfThatIsAskedFor) {
  ASSERT_TRUE(genpkey("use.key", {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt",
                                  "pkcs11_uri:keystay:use", "-pkeyopt",
                                  "pkcs11_key_usage:digitalSignature keyEncipherment"})
                  .ok());
  EXPECT_THAT(rights_of("use"), testing::Contains("decrypt"));
}

}  // namespace
}  // namespace keystay::test
