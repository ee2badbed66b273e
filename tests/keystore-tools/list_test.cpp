#include <regex>

#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class ListTest : public KeystayTest {
 protected:
  // What differs from run to run is put into words.
  std::string generalised(std::string text) const {
    text = std::regex_replace(text, std::regex("([0-9A-F]{2}:){31}[0-9A-F]{2}"), "SHA256");
    text = std::regex_replace(text, std::regex("([0-9A-F]{2}:){19}[0-9A-F]{2}"), "SHA1");
    text = std::regex_replace(
        text, std::regex("[A-Z][a-z]{2} [A-Z][a-z]{2} \\d\\d \\d\\d:\\d\\d:\\d\\d UTC \\d{4}"), "TIME");
    text = std::regex_replace(text, std::regex("[A-Z][a-z]{2} \\d\\d, \\d{4}"), "DATE");
    text = std::regex_replace(text, std::regex("[0-9a-f]{40}"), "ID");
    text = std::regex_replace(text, std::regex("Serial number: [0-9a-f]+"), "Serial number: NUMBER");
    return std::regex_replace(text, std::regex(token_.serial()), "SERIAL");
  }
};

TEST_F(ListTest, SaysThatAnEmptyTokenIsEmpty) {
  EXPECT_EQ(generalised(done({"-list"})),
            "Keystore type: Keystay\nToken: web, serial SERIAL (SoftHSM project SoftHSM v2)\n\n"
            "Your keystore contains 0 entries\n\n");
}

TEST_F(ListTest, ShowsKeysWithAndWithoutCertificateAndTrustedCertificates) {
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))});
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC", "-keysize", "384"});
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  EXPECT_EQ(generalised(done({"-list"})),
            "Keystore type: Keystay\nToken: web, serial SERIAL (SoftHSM project SoftHSM v2)\n\n"
            "Your keystore contains 3 entries\n\n"
            "bare, PrivateKeyEntry, EC (P-384) key without a certificate\n"
            "httpd, DATE, PrivateKeyEntry,\nCertificate fingerprint (SHA-256): SHA256\n"
            "root, DATE, trustedCertEntry,\nCertificate fingerprint (SHA-256): SHA256\n");
}

TEST_F(ListTest, NamesWhatCannotBeReadAndShowsTheRest) {
  make_alias("good");
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "lonely", "--id", "07"});
  token_.pkcs11_tool({"--delete-object", "--type", "pubkey", "--id", "07"});
  const std::string text = done({"-list"});
  EXPECT_THAT(text, HasSubstr("Your keystore contains 1 entry\n\ngood, "));
  EXPECT_THAT(text, HasSubstr("key \"lonely\": cannot be used: it has neither a public key object nor"));
  refused(1, HasSubstr("alias \"lonely\" is a key that cannot be used: it has neither"),
          {"-certreq", "-alias", "lonely", "-dname", "CN=a"});
}

TEST_F(ListTest, DescribesTheChainInWords) {
  make_alias("httpd");
  EXPECT_THAT(
      generalised(done({"-list", "-v", "-alias", "httpd"})),
      testing::StartsWith(
          "Alias name: httpd\nCreation date: DATE\nEntry type: PrivateKeyEntry\nKey: EC (P-256) key with id "
          "ID\n"
          "Certificate chain length: 1\nCertificate[1]:\nOwner: CN=localhost\nIssuer: CN=localhost\n"
          "Serial number: NUMBER\nValid from: TIME until: TIME\nCertificate fingerprints:\n\t SHA1: SHA1\n"
          "\t SHA256: SHA256\nSignature algorithm name: SHA256withECDSA\n"
          "Subject Public Key Algorithm: 256-bit EC (secp256r1) key\nVersion: 3\n\nExtensions: \n\n"
          "#1: ObjectId: 2.5.29.14 Criticality=false\nSubjectKeyIdentifier [\nKeyIdentifier [\n0000: "));
}

TEST_F(ListTest, DescribesEveryEntry) {
  make_alias("a");
  make_alias("b");
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  const std::string text = done({"-list", "-v"});
  for (const char* alias : {"Alias name: a\n", "Alias name: b\n", "Alias name: root\n"}) {
    EXPECT_THAT(text, HasSubstr(alias));
  }
  EXPECT_THAT(text, HasSubstr("*******************************************\n"));
}

TEST_F(ListTest, ShowsTheChainAsPem) {
  make_alias("httpd");
  const std::string text = done({"-list", "-rfc", "-alias", "httpd"});
  EXPECT_THAT(text, HasSubstr(done({"-exportcert", "-rfc", "-alias", "httpd"})));
  EXPECT_TRUE(test::run({"openssl", "x509", "-noout"}, {.input = text}).ok());
}

TEST_F(ListTest, FindsAnAliasInAnyLetterCaseAndByItsId) {
  make_alias("httpd");
  const std::string expected = done({"-list", "-alias", "httpd"});
  EXPECT_EQ(done({"-list", "-alias", "HttpD"}), expected);
  const std::string verbose = done({"-list", "-v", "-alias", "httpd"});
  const std::string id = verbose.substr(verbose.find("with id ") + 8, 40);
  EXPECT_EQ(done({"-list", "-alias", "id:" + id}), expected);
}

TEST_F(ListTest, SaysThatAnAliasDoesNotExist) {
  refused(1,
          testing::Eq(
              "keystay: alias \"nobody\" does not exist on token \"web\"; keystay -list shows what does\n"),
          {"-list", "-alias", "nobody"});
}

// The public half comes from the certificate or the public key object.
TEST_F(ListTest, ShowsKeysOfAnotherHand) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "rsa:2048", "--label", "other", "--id", "0102"});
  EXPECT_THAT(done({"-list"}), HasSubstr("other, PrivateKeyEntry, 2048-bit RSA key without a certificate\n"));
}

TEST_F(ListTest, NumbersKeysThatShareALabelAndRefusesToGuessWhichIsMeant) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", "twin", "--id", "01"});
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", "twin", "--id", "02"});
  const std::string text = done({"-list"});
  EXPECT_THAT(text, HasSubstr("\ntwin#1, PrivateKeyEntry"));
  EXPECT_THAT(text, HasSubstr("\ntwin#2, PrivateKeyEntry"));
  EXPECT_THAT(done({"-list", "-v", "-alias", "twin#2"}), HasSubstr("with id 02"));
  EXPECT_THAT(done({"-list", "-v", "-alias", "id:01"}), HasSubstr("with id 01"));
  refused(1,
          testing::MatchesRegex(
              "keystay: alias \"twin\" matches several private keys .token \"web\".; name one by its id: "
              "id:0[12], id:0[12]\n"),
          {"-list", "-alias", "twin"});
}

// Which would turn the rest of the line round, or look like another name.
TEST_F(ListTest, ShowsWhatCannotBeSeenInALabelAsItsCodePoint) {
  token_.pkcs11_tool(
      {"--keypairgen", "--key-type", "EC:secp256r1", "--label", "ht\u202etpd\u200b", "--id", "0a"});
  for (const char* form : {"-v", "-rfc"}) {
    const std::string list = done({"-list", form});
    EXPECT_THAT(list, testing::HasSubstr("Alias name: ht\\u{202E}tpd\\u{200B}\n"));
    EXPECT_THAT(list, testing::Not(testing::HasSubstr("\u202e")));
  }
  EXPECT_THAT(done({"-list"}), testing::HasSubstr("ht\\u{202E}tpd\\u{200B}, PrivateKeyEntry"));
  done({"-list", "-alias", "ht\u202etpd\u200b"});
  refused(2, testing::HasSubstr("U+200B"), {"-genkeypair", "-keyalg", "EC", "-alias", "a\u200b"});
}

}  // namespace
}  // namespace keystay::tools
