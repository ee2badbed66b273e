#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CertReqTest : public KeystayTest {
 protected:
  static std::string verified(const std::string& request) {
    const test::Outcome outcome = test::run(
        {"openssl", "req", "-verify", "-noout", "-text", "-nameopt", "RFC2253"}, {.input = request});
    EXPECT_TRUE(outcome.ok()) << outcome;
    EXPECT_THAT(outcome.error + outcome.output, HasSubstr("verify OK"));  // from OpenSSL 3.4 on in the output
    return outcome.output;
  }
};

TEST_F(CertReqTest, HasTheNameOfTheCertificate) {
  make_alias("httpd");
  const std::string request = done({"-certreq", "-alias", "httpd"});
  EXPECT_THAT(request, StartsWith("-----BEGIN CERTIFICATE REQUEST-----\n"));
  EXPECT_THAT(verified(request), HasSubstr("Subject: CN=localhost\n"));
}

TEST_F(CertReqTest, HasAnotherNameAndExtensionsOnDemand) {
  make_alias("httpd");
  const std::string text = verified(done({"-certreq", "-alias", "httpd", "-dname", "CN=www.example.org, C=DE",
                                          "-ext", "san=dns:www.example.org", "-sigalg", "SHA384withECDSA"}));
  EXPECT_THAT(text, HasSubstr("Subject: CN=www.example.org,C=DE\n"));
  EXPECT_THAT(text, HasSubstr("DNS:www.example.org"));
  EXPECT_THAT(text, HasSubstr("ecdsa-with-SHA384"));
}

TEST_F(CertReqTest, NeedsANameForAKeyWithoutCertificate) {
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  refused(
      1,
      testing::Eq("keystay: alias \"bare\" has no certificate to take the name from; give one with -dname\n"),
      {"-certreq", "-alias", "bare"});
  EXPECT_THAT(verified(done({"-certreq", "-alias", "bare", "-dname", "CN=bare"})),
              HasSubstr("Subject: CN=bare\n"));
}

TEST_F(CertReqTest, IsWrittenToAFileAsAWhole) {
  make_alias("httpd");
  const auto file = token_.directory().path() / "httpd.csr";
  EXPECT_EQ(done({"-certreq", "-alias", "httpd", "-file", file}), "");
  verified(test::read_file(file));
  refused(1, HasSubstr("cannot write"), {"-certreq", "-alias", "httpd", "-file", file / "inside"});
}

TEST_F(CertReqTest, SaysWhichAliasDoesNotExist) {
  refused(1,
          testing::Eq(
              "keystay: alias \"nobody\" does not exist on token \"web\"; keystay -list shows what does\n"),
          {"-certreq", "-alias", "nobody"});
}

// A key that pkcs11-tool made is as good as one of ours.
TEST_F(CertReqTest, IsSignedByAKeyOfAnotherHand) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp384r1", "--label", "other", "--id", "0102"});
  EXPECT_THAT(verified(done({"-certreq", "-alias", "other", "-dname", "CN=other"})),
              HasSubstr("NIST CURVE: P-384"));
}

}  // namespace
}  // namespace keystay::tools
