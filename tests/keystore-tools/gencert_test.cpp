// An alias as a CA: certificates for requests and for new keys, and lists of what it has revoked. The witness
// is the openssl program.
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class GenCertTest : public KeystayTest {
 protected:
  GenCertTest() {
    done({"-genkeypair", "-alias", "ca", "-keyalg", "EC", "-dname", "CN=Test CA", "-ext",
          "bc:c=ca:true,pathlen:0", "-ext", "ku:c=keyCertSign,cRLSign"});
    ca_file_ = write("ca.pem", done({"-exportcert", "-rfc", "-alias", "ca"}));
  }

  // A request by a key in software, with extensions of its own.
  std::string request(const std::string& extension = "subjectAltName=DNS:asked.example") const {
    return write("leaf.csr",
                 test::run_or_throw({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                                     "ec_paramgen_curve:P-256", "-nodes", "-keyout", path("leaf.key"),
                                     "-subj", "/CN=leaf/O=Example", "-addext", extension}));
  }
  std::string path(const std::string& name) const { return token_.directory().path() / name; }

  // Issues a certificate for the request, sees that it verifies against the CA, and returns its text.
  std::string issued(const test::Arguments& more = {}) const {
    test::Arguments command{"-gencert", "-alias", "ca", "-infile", path("leaf.csr"), "-rfc"};
    command.insert(command.end(), more.begin(), more.end());
    const std::string leaf = write("leaf.pem", done(command));
    test::run_or_throw({"openssl", "verify", "-x509_strict", "-CAfile", ca_file_, leaf});
    return test::run_or_throw({"openssl", "x509", "-in", leaf, "-noout", "-text", "-nameopt", "RFC2253"});
  }

  std::string ca_file_;
};

TEST_F(GenCertTest, IssuesACertificateThatVerifies) {
  request();
  const std::string text = issued({"-validity", "10"});
  EXPECT_THAT(
      text, AllOf(HasSubstr("Subject: O=Example,CN=leaf"), HasSubstr("Issuer: CN=Test CA"),
                  HasSubstr("X509v3 Subject Key Identifier"), HasSubstr("X509v3 Authority Key Identifier")));
  test::run_or_throw(
      {"openssl", "x509", "-in", path("leaf.pem"), "-noout", "-checkend", "777600"});  // 9 days
}

// As keytool: what a request asks for, a CA does not grant unasked.
TEST_F(GenCertTest, HonorsWhatItIsToldTo) {
  request();
  EXPECT_THAT(issued(), Not(HasSubstr("asked.example")));
  EXPECT_THAT(issued({"-ext", "honored=all"}), HasSubstr("DNS:asked.example"));
  EXPECT_THAT(issued({"-ext", "honored=san:critical"}),
              HasSubstr("X509v3 Subject Alternative Name: critical"));
  EXPECT_THAT(issued({"-ext", "honored=all,-san"}), Not(HasSubstr("asked.example")));
  EXPECT_THAT(issued({"-ext", "honored=all", "-ext", "san=dns:granted.example"}),
              AllOf(HasSubstr("DNS:granted.example"), Not(HasSubstr("asked.example"))));
  refused(1, HasSubstr("the request has no extension \"eku\" that could be honored"),
          {"-gencert", "-alias", "ca", "-infile", path("leaf.csr"), "-ext", "honored=eku"});
}

TEST_F(GenCertTest, TakesEveryExtensionOfKeytool) {
  request();
  const std::string text =
      issued({"-ext", "bc=ca:false", "-ext", "ku:critical=digitalSignature", "-ext", "eku=serverAuth", "-ext",
              "san=dns:a.example,ip:192.0.2.1", "-ext", "ian=uri:https://ca.example/", "-ext",
              "aia=ocsp:uri:http://ocsp.example/,caIssuers:uri:http://ca.example/ca.crt", "-ext",
              "sia=1.3.6.1.5.5.7.48.5:uri:http://ca.example/certs/", "-ext",
              "crl=uri:http://ca.example/ca.crl,uri:http://mirror.example/ca.crl", "-ext", "1.2.3.4=0500"});
  for (const char* part :
       {"CA:FALSE", "Digital Signature", "TLS Web Server Authentication",
        "DNS:a.example, IP Address:192.0.2.1", "URI:https://ca.example/", "OCSP - URI:http://ocsp.example/",
        "CA Issuers - URI:http://ca.example/ca.crt", "CA Repository - URI:http://ca.example/certs/",
        "http://ca.example/ca.crl", "http://mirror.example/ca.crl", "1.2.3.4:"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  std::size_t points = 0;
  for (std::size_t at = text.find("Full Name:"); at != std::string::npos;
       at = text.find("Full Name:", at + 1))
    ++points;
  EXPECT_EQ(points, 1U) << "one DistributionPoint with two names, as keytool's";
}

TEST_F(GenCertTest, WritesTheChainWithoutItsRoot) {
  done({"-genkeypair", "-alias", "sub", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=Sub", "-signer",
        "ca", "-ext", "bc:c=0", "-ext", "ku:c=kCS"});
  EXPECT_THAT(done({"-list", "-v", "-alias", "sub"}), HasSubstr("Certificate chain length: 2\n"));
  request();
  const std::string pem = done({"-gencert", "-alias", "sub", "-rfc", "-sigalg", "RSASSA-PSS"},
                               {.input = test::read_file(path("leaf.csr"))});
  const std::string sub = done({"-exportcert", "-rfc", "-alias", "sub"});
  EXPECT_THAT(pem, testing::EndsWith(sub));
  const std::string out = path("leaf.der");
  EXPECT_EQ(done({"-gencert", "-alias", "ca", "-infile", path("leaf.csr"), "-outfile", out}), "");
  EXPECT_THAT(test::run_or_throw({"openssl", "x509", "-inform", "DER", "-in", out, "-noout", "-text"}),
              HasSubstr("Issuer: CN = Test CA"));
}

TEST_F(GenCertTest, IsRefusedWithTheReasonAndWritesNothing) {
  request();
  const std::string csr = path("leaf.csr");
  make_alias("leaf");
  const test::Outcome by_a_leaf = keystay({"-gencert", "-alias", "leaf", "-infile", csr, "-rfc"});
  EXPECT_TRUE(by_a_leaf.ok()) << by_a_leaf;
  EXPECT_THAT(by_a_leaf.error, HasSubstr("note: the certificate of alias \"leaf\" is no CA's"));
  done({"-genkeypair", "-alias", "bare", "-keyalg", "EC"});
  refused(1, HasSubstr("alias \"bare\" has no certificate, whose name"),
          {"-gencert", "-alias", "bare", "-infile", csr});
  refused(1, HasSubstr("alias \"nobody\" does not exist"), {"-gencert", "-alias", "nobody", "-infile", csr});
  refused(1, HasSubstr("there is no certificate request in it"),
          {"-gencert", "-alias", "ca", "-infile", ca_file_});
  refused(1, HasSubstr("cannot read /nonexistent"), {"-gencert", "-alias", "ca", "-infile", "/nonexistent"});
  std::string changed = test::run_or_throw({"openssl", "req", "-in", csr, "-outform", "DER"});
  changed[changed.size() / 3] ^= 1;
  refused(1,
          testing::AnyOf(HasSubstr("not signed by its own key"), HasSubstr("cannot use the public key"),
                         HasSubstr("there is no certificate request")),
          {"-gencert", "-alias", "ca", "-infile", write("changed.csr", changed)});
  refused(2, HasSubstr("does not fit the key"),
          {"-gencert", "-alias", "ca", "-infile", csr, "-sigalg", "SHA256withRSA"});
  refused(2, HasSubstr("unknown; there are san="),
          {"-gencert", "-alias", "ca", "-infile", csr, "-ext", "foo=1"});
  refused(2, HasSubstr("this type cannot be critical"),
          {"-gencert", "-alias", "ca", "-infile", csr, "-ext", "aia:c=ocsp:uri:http://a/"});
  refused(2, HasSubstr("belongs to -gencert"), {"-certreq", "-alias", "ca", "-ext", "honored=all"});
  refused(1, HasSubstr("alias \"nobody\" does not exist"),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-dname", "CN=x", "-signer", "nobody"});
  refused(2, HasSubstr("-signer needs -dname"),
          {"-genkeypair", "-alias", "x", "-keyalg", "EC", "-signer", "ca"});
}

// An exchange key signs nothing, and so it has no certificate but a CA's.
TEST_F(GenCertTest, SignsForAKeyThatCannotSign) {
  const test::Outcome outcome =
      keystay({"-genkeypair", "-alias", "x", "-keyalg", "X25519", "-dname", "CN=x", "-signer", "ca"});
  if (outcome.error.find("CKR_MECHANISM_INVALID") != std::string::npos) return;  // SoftHSM has no X25519
  EXPECT_TRUE(outcome.ok()) << outcome;
}

TEST_F(GenCertTest, GenCrlSignsAListThatVerifies) {
  const std::string crl = path("ca.crl");
  EXPECT_EQ(done({"-gencrl", "-alias", "ca", "-id", "12345", "-id", "0xff:1", "-file", crl, "-rfc",
                  "-validity", "7"}),
            "");
  const std::string text =
      test::run_or_throw({"openssl", "crl", "-in", crl, "-noout", "-text", "-CAfile", ca_file_});
  EXPECT_THAT(
      text, AllOf(HasSubstr("Version 2"), HasSubstr("Issuer: CN = Test CA"), HasSubstr("Serial Number: 3039"),
                  HasSubstr("Serial Number: FF"), HasSubstr("Key Compromise"), HasSubstr("X509v3 CRL Number"),
                  HasSubstr("X509v3 Authority Key Identifier")));
  EXPECT_EQ(test::run({"openssl", "crl", "-in", crl, "-noout", "-CAfile", ca_file_}).error, "verify OK\n");
}

TEST_F(GenCertTest, GenCrlSaysWhatIsWrong) {
  for (const char* id : {"x", "12:", "12:7", "12:8", "12:99", "", "0x", "1 2"})
    refused(2, testing::AnyOf(HasSubstr("revocation \""), HasSubstr("empty value")),
            {"-gencrl", "-alias", "ca", "-id", id});
  refused(2, HasSubstr("-id is required"), {"-gencrl", "-alias", "ca"});
}

TEST_F(GenCertTest, AnRsaKeyForPssOnlySaysSoWhereverItIsStated) {
  done({"-genkeypair", "-alias", "pss", "-keyalg", "RSASSA-PSS", "-keysize", "2048", "-dname", "CN=pss"});
  const std::string certificate = done({"-exportcert", "-rfc", "-alias", "pss"});
  const auto text_of = [](const std::string& kind, const std::string& pem) {
    return test::run_or_throw({"openssl", kind, "-noout", "-text"}, {.input = pem});
  };
  EXPECT_THAT(text_of("x509", certificate),
              AllOf(HasSubstr("Public Key Algorithm: rsassaPss"), HasSubstr("Signature Algorithm: rsassaPss"),
                    HasSubstr("Hash Algorithm: sha256")));
  const std::string csr = done({"-certreq", "-alias", "pss"});
  EXPECT_THAT(text_of("req", csr), HasSubstr("Public Key Algorithm: rsassaPss"));
  test::run_or_throw({"openssl", "req", "-verify", "-noout"}, {.input = csr});
  refused(2, HasSubstr("does not fit the key"), {"-certreq", "-alias", "pss", "-sigalg", "SHA256withRSA"});
  refused(2, HasSubstr("-keyalg RSASSA-PSS needs -dname"),
          {"-genkeypair", "-alias", "x", "-keyalg", "RSASSA-PSS"});
}

TEST_F(GenCertTest, EverySignatureAlgorithmOfAKeyVerifies) {
  done({"-genkeypair", "-alias", "rsa", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=rsa"});
  const auto verify = [&](const std::string& alias, const std::string& algorithm) {
    SCOPED_TRACE(algorithm);
    test::run_or_throw({"openssl", "req", "-verify", "-noout"},
                       {.input = done({"-certreq", "-alias", alias, "-sigalg", algorithm})});
  };
  for (const char* digest : {"SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-384", "SHA3-512"}) {
    verify("rsa", digest + std::string("withRSA"));
    if (!std::string_view(digest).starts_with("SHA3")) verify("ca", digest + std::string("withECDSA"));
  }
  for (const char* name : {"RSASSA-PSS", "SHA384withRSAandMGF1"}) verify("rsa", name);
}

}  // namespace
}  // namespace keystay::tools
