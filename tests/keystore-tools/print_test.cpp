// -printcert, -printcertreq, -printcrl and -list -v: what the JDK's keytool prints of the same things.
#include <regex>

#include "tests/keystore-tools/key_files.h"
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// In UTC and English, as we print.
std::string by_keytool(test::Arguments arguments, const std::string& input = "") {
  arguments.insert(arguments.begin(), {KeyFiles::keytool(), "-J-Duser.timezone=UTC", "-J-Duser.language=en"});
  const test::Outcome outcome = test::run(arguments, {.input = input});
  EXPECT_TRUE(outcome.ok()) << outcome;
  return outcome.output;
}

// JDKs before 25 put the size before the names of keys that have one size only, and call weak what is short.
std::string without_what_differs(const std::string& text) {
  return std::regex_replace(text, std::regex("(255|448)-bit (Ed|X)"), "$2");
}

class PrintTest : public KeystayTest {
 protected:
  void agrees(const test::Arguments& command, const std::string& input = "") const {
    SCOPED_TRACE(testing::PrintToString(command));
    EXPECT_EQ(done(command, {.input = input}), without_what_differs(by_keytool(command, input)));
  }
  std::string path(const std::string& name) const { return token_.directory().path() / name; }
  void openssl(test::Arguments arguments) const {
    arguments.insert(arguments.begin(), "openssl");
    test::run_or_throw(arguments);
  }
};

// Everything that -ext can write, in one certificate.
TEST_F(PrintTest, ShowsACertificateWithAllExtensionsAsKeytoolDoes) {
  done({"-genkeypair",
        "-alias",
        "all",
        "-keyalg",
        "RSA",
        "-keysize",
        "2048",
        "-dname",
        "CN=\"Example, Inc.\"+OU=Web, O=Ex\\\"ample, ST=Berlin, 1.2.3.4=odd, DC=example, C=DE",
        "-ext",
        "san=dns:a.example,ip:192.0.2.1,ip:2001:db8::1,uri:https://a.example/,email:a@b.example,oid:1.2.3.4",
        "-ext",
        "bc:c=ca:true,pathlen:1",
        "-ext",
        "ku:c=ds,nonRep,keyE,dataE,keyA,kcs,crls,eO,decipherOnly",
        "-ext",
        "eku=serverAuth,clientAuth,codeSigning,emailProtection,timeStamping,OCSPSigning,anyExtendedKeyUsage,"
        "1.2.3",
        "-ext",
        "ian=uri:https://ca.example/",
        "-ext",
        "aia=ocsp:uri:http://o.example/,caIssuers:uri:http://c.example/",
        "-ext",
        "sia=caRepository:uri:http://r.example/",
        "-ext",
        "crl=uri:http://crl.example/,uri:http://crl2.example/",
        "-ext",
        "1.2.3.4:c=0500aabbccddeeff00112233445566778899",
        "-ext",
        "1.2.3.5"});
  const std::string pem = write("all.pem", done({"-exportcert", "-rfc", "-alias", "all"}));
  agrees({"-printcert", "-file", pem});
  agrees({"-printcert"}, test::read_file(pem));
  const std::string listed = done({"-list", "-v", "-alias", "all"});
  EXPECT_THAT(listed, HasSubstr(done({"-printcert", "-file", pem})));
}

TEST_F(PrintTest, ShowsEachKindOfKeyAsKeytoolDoes) {
  const test::TestCa ca;
  const KeyFiles files(token_.directory());
  for (const char* kind : {"rsa", "ec", "ed25519"})
    agrees({"-printcert", "-file", files.chain(kind, ca).certificates});
  for (const test::Arguments& key :
       std::vector<test::Arguments>{{"rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"},
                                    {"ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"},
                                    {"ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"},
                                    {"ed448"}}) {
    test::Arguments command{"req",  "-x509",       "-nodes", "-keyout", path("k"),
                            "-out", path("k.pem"), "-subj",  "/CN=k",   "-newkey"};
    command.insert(command.end(), key.begin(), key.end());
    openssl(command);
    agrees({"-printcert", "-file", path("k.pem")});
  }
}

TEST_F(PrintTest, ShowsWhatOpensslWritesAsKeytoolDoes) {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
           path("k"), "-subj", "/CN=x/emailAddress=a@b.example", "-addext",
           "certificatePolicies=1.2.3.4,2.5.29.32.0", "-addext",
           "crlDistributionPoints=URI:http://a.example/,URI:http://b.example/", "-out", path("x.pem")});
  openssl({"req", "-new", "-key", path("k"), "-subj", "/CN=y", "-out", path("y.csr")});
  write("y.cnf", "authorityKeyIdentifier=keyid:always,issuer:always\n");
  openssl({"x509", "-req", "-in", path("y.csr"), "-CA", path("x.pem"), "-CAkey", path("k"), "-extfile",
           path("y.cnf"), "-out", path("y.pem")});
  agrees({"-printcert", "-file",
          write("xy.pem", test::read_file(path("x.pem")) + test::read_file(path("y.pem")))});
  agrees({"-printcertreq", "-file", path("y.csr")});
}

TEST_F(PrintTest, ShowsARequestAsKeytoolDoes) {
  make_alias("httpd");
  const std::string csr = done({"-certreq", "-alias", "httpd", "-dname", "CN=www, O=\"A, B\"", "-ext",
                                "san=dns:www.example.org", "-ext", "ku:c=digitalSignature"});
  agrees({"-printcertreq", "-file", write("httpd.csr", csr)});
  agrees({"-printcertreq"}, csr);
  refused(1, HasSubstr("there is no certificate request in it"),
          {"-printcertreq", "-file", write("t", "text")});
}

TEST_F(PrintTest, ShowsAListOfRevokedCertificatesAsKeytoolDoes) {
  done({"-genkeypair", "-alias", "ca", "-keyalg", "EC", "-dname", "CN=CA", "-ext", "bc:c=ca:true"});
  const std::string crl = path("ca.crl");
  done({"-gencrl", "-alias", "ca", "-id", "17:1", "-id", "0xff", "-file", crl});
  agrees({"-printcrl", "-file", crl});
  const std::string text = done({"-printcrl", "-file", crl, "-token", "web"});
  EXPECT_THAT(text, testing::EndsWith("Verified by ca in keystore with a 256-bit EC (secp256r1) key\n"));
  EXPECT_THAT(done({"-printcrl", "-rfc", "-file", crl}), StartsWith("-----BEGIN X509 CRL-----\n"));
  refused(1, HasSubstr("there is no CRL in it"), {"-printcrl", "-file", write("t", "text")});
}

TEST_F(PrintTest, NeedsNeitherTokenNorConfiguration) {
  const test::RunOptions nowhere{.environment = {{"KEYSTAY_CONF", "/nonexistent/keystay.toml"}}};
  EXPECT_THAT(done({"-printcert", "-file", write("ca.pem", ca_.root_pem())}, nowhere),
              StartsWith("Owner: CN="));
  EXPECT_EQ(done({"-printcert", "-rfc"}, {.environment = nowhere.environment, .input = ca_.root_pem()}),
            ca_.root_pem());
  EXPECT_THAT(done({"-showinfo", "-tls"}, nowhere),
              AllOf(StartsWith("Enabled Protocols\n-----------------\nTLSv1.3\n"),
                    HasSubstr("\n\nEnabled Cipher Suites\n---------------------\nTLS_AES_256_GCM_SHA384\n")));
}

TEST_F(PrintTest, ShowsTheCertificatesOfATlsServer) {
  const test::SoftwareIdentity identity = ca_.issue(test::KeyKind::ec);
  const std::string key = write("server.key", identity.key_pem);
  const std::string chain = write("server.pem", identity.chain_pem);
  const std::string address = "127.0.0.1:" + std::to_string(test::free_port());
  const test::Process server({"openssl", "s_server", "-accept", address, "-key", key, "-cert", chain,
                              "-cert_chain", chain, "-quiet"});
  ASSERT_TRUE(test::wait_for_port(static_cast<std::uint16_t>(std::stoi(address.substr(10)))));
  EXPECT_EQ(done({"-printcert", "-rfc", "-sslserver", address})
                .substr(0, ca_.intermediate_pem().size())
                .substr(0, 27),
            identity.chain_pem.substr(0, 27));
  agrees({"-printcert", "-sslserver", address});
}

TEST_F(PrintTest, SaysWhatIsWrongWithAServer) {
  refused(1, HasSubstr("no certificate from the TLS server 127.0.0.1:1: Connection refused"),
          {"-printcert", "-sslserver", "127.0.0.1:1"});
  for (const char* address : {"host:port", "a:1:2", ":443", "host:"})
    refused(2, HasSubstr("expected HOST or HOST:PORT"), {"-printcert", "-sslserver", address});
  refused(2, HasSubstr("excludes"), {"-printcert", "-sslserver", "a", "-file", "b"});
  refused(2, HasSubstr("keystay reads no signed archives"), {"-printcert", "-jarfile", "a.jar"});
  refused(1, HasSubstr("there is no certificate in it"), {"-printcert", "-file", write("t", "text")});
  refused(2, HasSubstr("-showinfo shows what an option names: -tls"), {"-showinfo"});
}

// A hostile certificate must not write to the terminal of who looks at it.
TEST_F(PrintTest, ShowsNoControlCharacters) {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
           path("k"), "-utf8", "-subj", "/CN=a\x1b[2Jb", "-out", path("x.pem")});
  EXPECT_THAT(done({"-printcert", "-file", path("x.pem")}),
              AllOf(HasSubstr("Owner: CN=a\\u{001B}[2Jb\n"), testing::Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace keystay::tools
