// The openssl program on aliases, URIs and PEM references. Every run ends by itself: the exit code is its
// own.
#include "tests/provider/openssl_program.h"

#include <chrono>
#include <thread>

#include "tests/support/test_ca.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(OpensslProgramTest, DgstSignsByAliasUriAndReference) {
  for (const Order order : {Order::keystay_first, Order::keystay_last}) {
    for (const std::string key : {"rsa", "ec"}) {
      for (const std::string& name :
           {"keystay:" + key, "pkcs11:token=web;object=" + key, path(key + ".ref")}) {
        const std::string signature = path("signature");
        const Outcome outcome =
            openssl({"dgst", "-sha256", "-sign", name, "-out", signature, message_}, order);
        EXPECT_EQ(outcome.exit_code, 0) << name << outcome;
        EXPECT_TRUE(file_verifies(key, signature)) << name;
      }
    }
  }
}

TEST_F(OpensslProgramTest, DgstAndPkeyutlSignWithPss) {
  const Arguments pss{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"};
  Arguments arguments{"dgst", "-sha256", "-sign", "keystay:rsa", "-out", path("pss.sig")};
  arguments.insert(arguments.end(), pss.begin(), pss.end());
  arguments.push_back(message_);
  const Outcome dgst = openssl(arguments);
  EXPECT_EQ(dgst.exit_code, 0) << dgst;
  EXPECT_TRUE(file_verifies("rsa", path("pss.sig"), pss));

  const Outcome pkeyutl = openssl({"pkeyutl", "-sign", "-rawin", "-digest", "sha256", "-inkey", "keystay:rsa",
                                   "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest",
                                   "-in", message_, "-out", path("pss.sig")});
  EXPECT_EQ(pkeyutl.exit_code, 0) << pkeyutl;
  EXPECT_TRUE(file_verifies("rsa", path("pss.sig"), pss));
}

TEST_F(OpensslProgramTest, ReqAndX509MakeRequestsAndCertificates) {
  for (const std::string key : {"rsa", "ec"}) {
    const Outcome request = openssl(
        {"req", "-new", "-key", path(key + ".ref"), "-subj", "/CN=" + key, "-out", path(key + ".csr")});
    EXPECT_EQ(request.exit_code, 0) << request;
    const Outcome verified = run({"openssl", "req", "-in", path(key + ".csr"), "-noout", "-verify"});
    EXPECT_THAT(verified.output + verified.error, HasSubstr("verify OK"));  // 3.0 says it on stderr
    const Outcome root = openssl({"req", "-x509", "-new", "-key", "keystay:" + key, "-subj",
                                  "/CN=" + key + " CA", "-out", path(key + ".ca")});
    EXPECT_EQ(root.exit_code, 0) << root;
    const Outcome issued =
        openssl({"x509", "-req", "-in", path(key + ".csr"), "-CA", path(key + ".ca"), "-CAkey",
                 path(key + ".ref"), "-CAcreateserial", "-out", path(key + ".crt")});
    EXPECT_EQ(issued.exit_code, 0) << issued;
    EXPECT_TRUE(run({"openssl", "verify", "-CAfile", path(key + ".ca"), path(key + ".crt")}).ok());
  }
}

TEST_F(OpensslProgramTest, CmsSignsWithTheCertificateOfTheKey) {
  ASSERT_EQ(openssl({"req", "-x509", "-new", "-key", "keystay:ec", "-subj", "/CN=signer", "-out",
                     path("signer.pem")})
                .exit_code,
            0);
  const Outcome signing =
      openssl({"cms", "-sign", "-in", message_, "-signer", path("signer.pem"), "-inkey", path("ec.ref"),
               "-outform", "PEM", "-out", path("signed.cms"), "-nodetach"});
  EXPECT_EQ(signing.exit_code, 0) << signing;
  const Outcome verification = run({"openssl", "cms", "-verify", "-in", path("signed.cms"), "-inform", "PEM",
                                    "-CAfile", path("signer.pem"), "-purpose", "any"});
  EXPECT_TRUE(verification.ok()) << verification;
}

TEST_F(OpensslProgramTest, PkeyRefusesThePrivateKeyWithOneClearError) {
  for (const std::string& name : {std::string("keystay:ec"), path("rsa.ref")}) {
    const Outcome outcome = openssl({"pkey", "-in", name});
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    EXPECT_EQ(outcome.output, "");
    EXPECT_THAT(outcome.error, HasSubstr("the private key cannot leave its token"));
    EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
  }
}

TEST_F(OpensslProgramTest, EcAndRsaShowThePublicKeyAndRefuseThePrivateOne) {
  for (const std::string& key : {std::string("ec"), std::string("rsa")}) {
    const Outcome written = openssl({key, "-in", path(key + ".ref"), "-pubout"});
    EXPECT_EQ(written.exit_code, 0) << written;
    EXPECT_EQ(written.output, read_file(path(key + ".pub")));
    EXPECT_THAT(openssl({key, "-in", "keystay:" + key, "-noout", "-text"}).output,
                HasSubstr("alias \"" + key + "\""));
    const Outcome refused = openssl({key, "-in", "keystay:" + key});
    EXPECT_EQ(refused.exit_code, 1) << refused;
    EXPECT_THAT(refused.error, HasSubstr("the private key cannot leave its token"));
  }
}

TEST_F(OpensslProgramTest, PkeyShowsThePublicKeyAndWhereThePrivateOneIs) {
  const Outcome text = openssl({"pkey", "-in", "keystay:rsa", "-noout", "-text"});
  EXPECT_EQ(text.exit_code, 0) << text;
  EXPECT_THAT(text.output, HasSubstr("\"rsa\" on token \"web\""));
  EXPECT_THAT(text.output, HasSubstr("Modulus:"));
  EXPECT_THAT(read_file(path("rsa.pub")), HasSubstr("BEGIN PUBLIC KEY"));
}

TEST_F(OpensslProgramTest, StoreutlListsAndEnds) {
  const Outcome all = openssl({"storeutl", "-noout", "pkcs11:token=web"});
  EXPECT_EQ(all.exit_code, 0) << all;
  EXPECT_THAT(all.output, HasSubstr("Pkey"));
  const Outcome none = openssl({"storeutl", "-noout", "pkcs11:token=web;object=nobody"});
  EXPECT_NE(none.exit_code, -1) << none;
  EXPECT_THAT(none.error, HasSubstr("token \"web\" has no key \"nobody\""));
}

TEST_F(OpensslProgramTest, AWrongPinIsOneErrorThatDoesNotShowIt) {
  const std::string pin = file("bad-pin", "424242\n");
  const std::string toml = file("bad.toml", "[token.web]\nmodule = \"" + token().module().string() +
                                                "\"\nlabel = \"web\"\npin = \"file:" + pin + "\"\n");
  Environment environment = program_environment();
  environment["KEYSTAY_CONF"] = toml;
  const Outcome outcome =
      run(with_providers({"dgst", "-sha256", "-sign", "keystay:ec", "-out", "/dev/null", message_}),
          {.environment = environment});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_THAT(outcome.error, Not(HasSubstr("424242")));
}

// The provider's own section of openssl.cnf.
TEST_F(OpensslProgramTest, OpensslCnfNamesTheConfiguration) {
  const std::string toml = file("elsewhere.toml", token().configuration());
  const std::string cnf =
      file("openssl.cnf",
           "openssl_conf = init\n[init]\nproviders = providers\n[providers]\n"
           "keystay = keystay_section\ndefault = default_section\n"
           "[default_section]\nactivate = 1\n[keystay_section]\nmodule = " +
               provider_path() + "/keystay.so\nconfiguration = " + toml + "\nactivate = 1\n");
  Environment environment = program_environment();
  environment["OPENSSL_CONF"] = cnf;
  environment["KEYSTAY_CONF"] = "/nonexistent.toml";
  const Outcome outcome =
      run({"openssl", "dgst", "-sha256", "-sign", "keystay:ec", "-out", path("cnf.sig"), message_},
          {.environment = environment});
  EXPECT_EQ(outcome.exit_code, 0) << outcome;
  EXPECT_TRUE(file_verifies("ec", path("cnf.sig")));
}

// Both versions of the protocol, each with each of these groups.
std::vector<Arguments> clients_for(const Arguments& groups) {
  std::vector<Arguments> clients;
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    for (const std::string& group : groups) clients.push_back({version, "-groups", group});
  }
  return clients;
}

TEST_F(OpensslServerTest, ServesBothKindsOfKeyInEitherOrderOfProviders) {
  for (const std::string key : {"rsa", "ec"}) {
    for (const Order order : {Order::keystay_first, Order::keystay_last})
      serve({.key = key, .order = order}, clients_for({"P-256", "X25519:P-256", "P-384:P-256"}));
  }
}

TEST_F(OpensslServerTest, ServesAsynchronously) {
  faults().delay(Function::C_Sign, std::chrono::milliseconds(5));
  for (const std::string key : {"rsa", "ec"}) {
    serve({.key = key, .options = {"-async"}}, clients_for({"P-256"}));
  }
}

TEST_F(OpensslServerTest, AClientCertificateMayBeOnTheToken) {
  ASSERT_EQ(openssl({"req", "-x509", "-new", "-key", "keystay:ec", "-subj", "/CN=client", "-out",
                     path("client.pem")})
                .exit_code,
            0);
  const TestCa ca;
  const auto identity = ca.issue(KeyKind::rsa);
  Process server({"openssl", "s_server", "-key", file("server.key", identity.key_pem), "-cert",
                  file("server.pem", identity.chain_pem), "-accept", "0", "-naccept", "1", "-Verify", "1",
                  "-CAfile", path("client.pem"), "-verify_return_error", "-www"});
  const std::string port = port_of(server);
  ASSERT_NE(port, "") << server.error();
  const Outcome client =
      run(with_providers({"s_client", "-connect", "localhost:" + port, "-cert", path("client.pem"), "-key",
                          path("ec.ref"), "-ign_eof", "-tls1_3"}),
          {.environment = program_environment(), .input = "GET / HTTP/1.0\r\n\r\n"});
  EXPECT_EQ(client.exit_code, 0) << client;
  EXPECT_THAT(client.output, HasSubstr("Client certificate"));
}

}  // namespace
}  // namespace keystay::test
