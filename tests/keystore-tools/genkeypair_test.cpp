#include "native/x509/certificate_bundle.h"
#include "native/x509/public_key.h"
#include "tests/keystore-tools/keystay_program.h"
#include "tests/support/witness.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class GenKeyPairTest : public KeystayTest {
 protected:
  std::string certificate_text(const std::string& alias) const {
    return test::run_or_throw({"openssl", "x509", "-noout", "-text", "-nameopt", "RFC2253"},
                              {.input = done({"-exportcert", "-rfc", "-alias", alias})});
  }
};

struct Kind {
  const char* name;
  test::Arguments options;
  const char* object;  // as pkcs11-tool calls the private key
};

class GenKeyPairKinds : public GenKeyPairTest, public testing::WithParamInterface<Kind> {};

TEST_P(GenKeyPairKinds, MakesAKeyThatIsSensitiveAndCannotLeaveTheToken) {
  test::Arguments arguments{"-genkeypair", "-alias", "httpd", "-dname", "CN=localhost, O=Example"};
  arguments.insert(arguments.end(), GetParam().options.begin(), GetParam().options.end());
  done(arguments);
  EXPECT_THAT(objects(), Contains(AllOf(StartsWith(GetParam().object), HasSubstr("label:      httpd"),
                                        HasSubstr("Usage:      sign"),
                                        HasSubstr("sensitive, always sensitive, never extractable, local"))));
  const std::string pem = write("httpd.pem", done({"-exportcert", "-rfc", "-alias", "httpd"}));
  const test::Outcome verified =
      test::run({"openssl", "verify", "-check_ss_sig", "-partial_chain", "-CAfile", pem, pem});
  EXPECT_TRUE(verified.ok()) << verified;
}

TEST_F(GenKeyPairTest, ShowsNoControlCharactersOfAName) {
  const test::Outcome outcome =
      keystay({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-dname", "CN=a\nb\x1B[31mc"});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("CN=a\\0Ab\\1B[31mc, valid until"));
}

INSTANTIATE_TEST_SUITE_P(
    All, GenKeyPairKinds,
    testing::Values(Kind{"Rsa2048", {"-keyalg", "RSA", "-keysize", "2048"}, "Private Key Object; RSA"},
                    Kind{"P256", {"-keyalg", "EC", "-groupname", "secp256r1"}, "Private Key Object; EC"},
                    Kind{"P384", {"-keyalg", "EC", "-keysize", "384"}, "Private Key Object; EC"},
                    Kind{"P521", {"-keyalg", "EC", "-keysize", "521"}, "Private Key Object; EC"},
                    Kind{"Ed25519", {"-keyalg", "Ed25519"}, "Private Key Object; EC_EDWARDS"}),
    [](const auto& test) { return test.param.name; });

// RFC 5280, section 4.2.1.2, method 1: the id is what others compute for the key, and joins its three
// objects.
TEST_F(GenKeyPairTest, JoinsKeyAndCertificateByTheHashOfThePublicKey) {
  make_alias("httpd");
  const std::string text = certificate_text("httpd");
  std::string id = text.substr(text.find("Subject Key Identifier:") + 23);
  std::erase_if(id, [](char c) { return c == ':' || c == ' ' || c == '\n'; });
  id.resize(40);
  for (char& c : id) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  EXPECT_THAT(objects(), ElementsAre(AllOf(StartsWith("Certificate Object"), HasSubstr("ID:         " + id)),
                                     AllOf(StartsWith("Private Key Object"), HasSubstr("ID:         " + id)),
                                     AllOf(StartsWith("Public Key Object"), HasSubstr("ID:         " + id))));
}

TEST_F(GenKeyPairTest, TakesTheGnuFormToo) {
  done({"genkeypair", "--alias", "httpd", "--keyalg=EC", "--dname", "CN=localhost"});
  EXPECT_THAT(objects(), SizeIs(3));
}

TEST_F(GenKeyPairTest, MakesAnAliasWithoutCertificateIfNoNameIsGiven) {
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  EXPECT_THAT(objects(), ElementsAre(StartsWith("Private Key Object"), StartsWith("Public Key Object")));
  EXPECT_EQ(done({"-list", "-alias", "bare"}),
            "bare, PrivateKeyEntry, EC (P-256) key without a certificate\n");
}

TEST_F(GenKeyPairTest, HasKeytoolsDefaultAlias) {
  done({"-genkeypair", "-keyalg", "EC"});
  EXPECT_THAT(done({"-list"}), HasSubstr("mykey, PrivateKeyEntry"));
}

TEST_F(GenKeyPairTest, PutsNameDatesAndExtensionsIntoTheCertificate) {
  done({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-dname",
        "CN=www.example.org, O=Example\\, Inc., C=DE", "-startdate", "2026/01/31 12:00:00", "-validity", "10",
        "-ext", "san=dns:www.example.org,ip:127.0.0.1", "-ext", "ku:critical=digitalSignature", "-sigalg",
        "SHA512withECDSA"});
  const std::string text = certificate_text("httpd");
  EXPECT_THAT(text, HasSubstr("Subject: CN=www.example.org,O=Example\\, Inc.,C=DE\n"));
  EXPECT_THAT(text, HasSubstr("Not Before: Jan 31 12:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("Not After : Feb 10 12:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("DNS:www.example.org, IP Address:127.0.0.1"));
  EXPECT_THAT(text, HasSubstr("Key Usage: critical"));
  EXPECT_THAT(text, HasSubstr("Signature Algorithm: ecdsa-with-SHA512"));
}

TEST_F(GenKeyPairTest, RefusesAnAliasThatExists) {
  make_alias("httpd");
  const auto message = HasSubstr("keystay: alias \"httpd\" already exists (token \"web\"); ");
  refused(1, message, {"-genkeypair", "-alias", "httpd", "-keyalg", "RSA", "-dname", "CN=localhost"});
  refused(1, message, {"-genkeypair", "-alias", "HTTPD", "-keyalg", "EC"});
}

TEST_F(GenKeyPairTest, RefusesAnAliasOfATrustedCertificate) {
  done({"-importcert", "-noprompt", "-alias", "ca", "-file", write("ca.pem", ca_.root_pem())});
  refused(1, HasSubstr("alias \"ca\" already exists as a trusted certificate (token \"web\")"),
          {"-genkeypair", "-alias", "ca", "-keyalg", "EC"});
}

TEST_F(GenKeyPairTest, RefusesBadArgumentsBeforeItMakesAKey) {
  const auto refuse = [&](int code, const char* message, const test::Arguments& more) {
    test::Arguments arguments{"-genkeypair", "-alias", "x"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    refused(code, StartsWith(std::string("keystay: ") + message), arguments);
  };
  refuse(2, "-keyalg is required; see keystay -help", {});
  refuse(2, "unknown key algorithm \"DSA\"; use RSA, EC, EdDSA, Ed25519, Ed448 or X25519",
         {"-keyalg", "DSA"});
  refuse(2, "RSA keys have 2048 to 8192 bits, not 1024", {"-keyalg", "RSA", "-keysize", "1024"});
  refuse(2, "EC keys have 256, 384 or 521 bits, not 255", {"-keyalg", "EC", "-keysize", "255"});
  refuse(2, "unknown curve \"secp999r1\"; use P-256, P-384, P-521",
         {"-keyalg", "EC", "-groupname", "secp999r1"});
  refuse(2, "distinguished name \"localhost\", character 1: expected NAME=value",
         {"-keyalg", "EC", "-dname", "localhost"});
  refuse(2, "extension \"foo=bar\": unknown", {"-keyalg", "EC", "-dname", "CN=a", "-ext", "foo=bar"});
  for (const char* extension :
       {"bc=ca:true,pathlen:-1", "bc=ca:true,pathlen:99999999999", "bc=ca:false,pathlen:1",
        "bc=pathlen:", "san=dns:a b", "san=dns:a..b", "san=dns:.a", "san=ip:01.2.3.4", "san=ip:::1::"}) {
    refuse(2, "extension \"", {"-keyalg", "EC", "-dname", "CN=a", "-ext", extension});
  }
  for (const char* date :
       {"9999/12/31 23:59:59", "+9999y", "-9999y", "+99999y", "0000/01/01", "1949/12/31", "+999999m"}) {
    refuse(2, "", {"-keyalg", "EC", "-dname", "CN=a", "-startdate", date});
  }
  refuse(2, "-ext needs -dname", {"-keyalg", "EC", "-ext", "san=dns:a"});
  refuse(2, "extension \"san=dns:b\xC3\xBC\": only ASCII",
         {"-keyalg", "EC", "-dname", "CN=a", "-ext", "san=dns:b\xC3\xBC"});
  refuse(2, "-startdate \"tomorrow\": expected",
         {"-keyalg", "EC", "-dname", "CN=a", "-startdate", "tomorrow"});
  refuse(2, "-validity: ", {"-keyalg", "EC", "-dname", "CN=a", "-validity", "0"});
  refuse(2, "Could not convert: -keysize = many", {"-keyalg", "EC", "-keysize", "many"});
  refuse(2, "-keysize excludes -groupname", {"-keyalg", "EC", "-keysize", "256", "-groupname", "secp256r1"});
}

// A key is not made to find out that it cannot sign its certificate: refused() wants this message alone.
// Beyond the clock's nanoseconds, which end in 2262.
TEST_F(GenKeyPairTest, TakesADateFarAhead) {
  done(
      {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", "CN=a", "-startdate", "9000/01/01 00:00:00"});
  const std::string certificate = write("x.pem", done({"-exportcert", "-rfc", "-alias", "x"}));
  EXPECT_THAT(
      test::run_or_throw({"openssl", "x509", "-noout", "-dates", "-in", certificate}),
      AllOf(HasSubstr("notBefore=Jan  1 00:00:00 9000 GMT"), HasSubstr("notAfter=Apr  1 00:00:00 9000 GMT")));
}

TEST_F(GenKeyPairTest, RefusesASignatureAlgorithmThatDoesNotFitBeforeItMakesAKey) {
  const auto refuse = [&](const char* message, const test::Arguments& more) {
    test::Arguments arguments{"-genkeypair", "-alias", "x", "-dname", "CN=a"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    refused(2, StartsWith(std::string("keystay: ") + message), arguments);
  };
  refuse("signature algorithm \"SHA256withRSA\" does not fit the key; it can make SHA256withECDSA",
         {"-keyalg", "EC", "-sigalg", "SHA256withRSA"});
  refuse("signature algorithm \"Ed25519\" does not fit the key; it can make SHA256withRSA",
         {"-keyalg", "RSA", "-sigalg", "Ed25519"});
  refuse("signature algorithm \"Ed448\" does not fit the key; it can make Ed25519\n",
         {"-keyalg", "Ed25519", "-sigalg", "Ed448"});
  refuse("unknown signature algorithm \"SHA256\"; this key can make SHA256withECDSA",
         {"-keyalg", "EC", "-sigalg", "SHA256"});
  refuse("a key of this kind agrees on secrets and cannot sign", {"-keyalg", "X25519"});
  refused(2, StartsWith("keystay: -sigalg needs -dname"),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-sigalg", "SHA256withECDSA"});
}

class GenKeyPairFaultTest : public KeystayTest {
 protected:
  GenKeyPairFaultTest() : KeystayTest({.front = test::Front::fault_module}) {}
};

TEST_F(GenKeyPairFaultTest, TakesTheKeyBackIfTheTokenRefusesToSign) {
  token_.faults().fail(test::Function::C_Sign, CKR_FUNCTION_REJECTED, test::kEveryCall);
  const test::Outcome outcome = keystay({"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", "CN=a"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("C_Sign: "));
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(GenKeyPairFaultTest, LeavesNothingIfTheTokenCannotStoreTheCertificate) {
  token_.faults().fail(test::Function::C_CreateObject, CKR_DEVICE_MEMORY, test::kEveryCall);
  const test::Outcome outcome = keystay({"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", "CN=a"});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("C_CreateObject: CKR_DEVICE_MEMORY (0x31)"));
  EXPECT_THAT(objects(), IsEmpty());
}

// libp11 knows nothing of Keystay.
TEST_F(GenKeyPairTest, MakesAnAliasThatLibp11SeesAsOne) {
  make_alias("httpd");
  const auto certificate = x509::read_certificates(done({"-exportcert", "-rfc", "-alias", "httpd"})).front();
  const pkcs11::Bytes spki = x509::to_spki(*certificate.public_key);
  const test::WitnessedObject seen = test::libp11_object(token_, "certificate", "httpd");
  EXPECT_EQ(seen.der, std::string(certificate.der.begin(), certificate.der.end()));
  for (const char* kind : {"private-key", "public-key"}) {
    const test::WitnessedObject key = test::libp11_object(token_, kind, "httpd");
    EXPECT_EQ(key.id, seen.id) << kind;
    EXPECT_EQ(key.der, std::string(spki.begin(), spki.end())) << kind;
  }
}

}  // namespace
}  // namespace keystay::tools
