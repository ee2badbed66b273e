#include "tests/keystore-tools/importcert_test.h"

#include "tests/keystore-tools/pseudo_terminal.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(ImportCertTest, StoresAReplyWithItsChain) {
  make_alias("httpd");
  const std::string reply = this->reply("httpd");
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply)});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(chain("httpd"), reply);
  EXPECT_THAT(outcome.error, HasSubstr("is neither in the reply nor on the token"));
  EXPECT_THAT(outcome.error, HasSubstr("installed for alias \"httpd\"; its chain has 2 certificates"));
}

TEST_F(ImportCertTest, PutsTheChainInOrderWhateverTheOrderOfTheFile) {
  make_alias("httpd");
  const std::string reply = this->reply("httpd");
  const std::string leaf = reply.substr(0, reply.size() - ca_.intermediate_pem().size());
  done({"-importcert", "-alias", "httpd", "-file",
        write("reply.pem", ca_.root_pem() + ca_.intermediate_pem() + leaf)});
  EXPECT_EQ(chain("httpd"), leaf + ca_.intermediate_pem() + ca_.root_pem());
}

TEST_F(ImportCertTest, CompletesTheChainFromTheToken) {
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  make_alias("first");
  done({"-importcert", "-alias", "first", "-file", write("first.pem", reply("first"))});
  make_alias("second");
  const std::string leaf = ca_.sign(done({"-certreq", "-alias", "second"}));
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "second", "-file", write("second.pem", leaf)});
  EXPECT_EQ(outcome.error,
            "Certificate reply was installed for alias \"second\"; its chain has 3 certificates\n");
  EXPECT_EQ(chain("second"), leaf + ca_.intermediate_pem() + ca_.root_pem());
}

TEST_F(ImportCertTest, ReplacesTheCertificateThatWasThere) {
  make_alias("httpd");
  for (int renewal = 0; renewal < 2; ++renewal) {
    const std::string reply = this->reply("httpd");
    done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply)});
    EXPECT_EQ(chain("httpd"), reply);
    EXPECT_THAT(objects(), SizeIs(4)) << "key pair, leaf, intermediate";
  }
}

TEST_F(ImportCertTest, ChangesNothingWhenTheReplyIsThereAlready) {
  make_alias("httpd");
  const auto file = write("reply.pem", reply("httpd"));
  done({"-importcert", "-alias", "httpd", "-file", file});
  const auto before = objects();
  done({"-importcert", "-alias", "httpd", "-file", file});
  EXPECT_EQ(objects(), before);
}

TEST_F(ImportCertTest, ReadsStandardInputDerAndPkcs7) {
  make_alias("httpd");
  const std::string reply = this->reply("httpd");
  done({"-importcert", "-alias", "httpd"}, {.input = reply});
  const auto pem = write("reply.pem", reply);
  const std::string der = test::run_or_throw({"openssl", "x509", "-in", pem, "-outform", "DER"});
  done({"-importcert", "-alias", "httpd", "-file", write("reply.der", der)});
  const std::string p7b = test::run_or_throw({"openssl", "crl2pkcs7", "-nocrl", "-certfile", pem});
  done({"-importcert", "-alias", "httpd", "-file", write("reply.p7b", p7b)});
  EXPECT_EQ(chain("httpd"), reply);
}

TEST_F(ImportCertTest, SaysWhatIsNotPartOfTheChain) {
  make_alias("httpd");
  const test::TestCa stranger;
  const test::Outcome outcome = keystay({"-importcert", "-alias", "httpd", "-file",
                                         write("reply.pem", reply("httpd") + stranger.intermediate_pem())});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("is not part of the chain and was not imported"));
  EXPECT_THAT(objects(), SizeIs(4));
}

TEST_F(ImportCertTest, RefusesACertificateOfAnotherKey) {
  make_alias("httpd");
  make_alias("other");
  refused(1,
          AllOf(StartsWith("keystay: nothing in "),
                HasSubstr(" fits the key of alias \"httpd\": other public keys are certified for "),
                EndsWith("; import the reply to this key's own request\n")),
          {"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("other"))});
}

TEST_F(ImportCertTest, RefusesAnExpiredCertificateUnlessItIsWanted) {
  make_alias("httpd");
  const auto file = write("expired.pem", reply("httpd", test::LeafOptions::expired()));
  refused(1,
          AllOf(HasSubstr(" expired on "),
                EndsWith("; ask the CA for a new one, or import it all the same with -allowexpired\n")),
          {"-importcert", "-alias", "httpd", "-file", file});
  done({"-importcert", "-alias", "httpd", "-allowexpired", "-file", file});
  EXPECT_EQ(chain("httpd"), test::read_file(file));
  done({"importcert", "--alias", "httpd", "--allow-expired", "--file", file});
}

TEST_F(ImportCertTest, RefusesACertificateThatIsNotYetValid) {
  make_alias("httpd");
  const test::LeafOptions tomorrow{.valid_from = std::chrono::hours(24),
                                   .valid_until = std::chrono::hours(48)};
  refused(1, AllOf(HasSubstr(" is not valid before "), HasSubstr("; check the clock, or ")),
          {"-importcert", "-alias", "httpd", "-file", write("early.pem", reply("httpd", tomorrow))});
}

// A CA whose one day was long ago, and a leaf of it that is valid now.
TEST_F(ImportCertTest, RefusesAnExpiredIssuerToo) {
  make_alias("httpd");
  const std::string directory = token_.directory().path();
  write("index.txt", "");
  const auto conf =
      write("ca.cnf",
            "[req]\ndistinguished_name = dn\n[dn]\n[ca]\ndefault_ca = old\n[old]\ndatabase = " + directory +
                "/index.txt\nnew_certs_dir = " + directory +
                "\npolicy = any\ndefault_md = sha256\nrand_serial = yes\n[any]\ncommonName = supplied\n");
  const auto key = write("ca.key", test::private_key_pem(test::generate_key(test::KeyKind::ec).get()));
  const auto request = write("ca.csr", test::run_or_throw({"openssl", "req", "-new", "-config", conf, "-key",
                                                           key, "-subj", "/CN=Old CA"}));
  const auto old_ca = write(
      "ca.pem",
      test::run_or_throw({"openssl", "ca", "-batch", "-notext", "-selfsign", "-config", conf, "-keyfile", key,
                          "-in", request, "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"}));
  const auto csr = write("httpd.csr", done({"-certreq", "-alias", "httpd"}));
  const std::string leaf = test::run_or_throw({"openssl", "x509", "-req", "-in", csr, "-CA", old_ca, "-CAkey",
                                               key, "-set_serial", "1", "-days", "2"});
  const auto reply = write("reply.pem", leaf + test::read_file(old_ca));
  refused(1,
          HasSubstr("certificate \"CN=Old CA\" in the chain of " + reply +
                    " expired on Thu Jan 02 00:00:00 UTC 2020"),
          {"-importcert", "-alias", "httpd", "-file", reply});
  done({"-importcert", "-alias", "httpd", "-allowexpired", "-file", reply});
}

TEST_F(ImportCertTest, RefusesAFileWithoutCertificate) {
  make_alias("httpd");
  refused(1, HasSubstr("request.pem: there is no certificate in it: expected PEM, DER or PKCS #7 (.p7b)"),
          {"-importcert", "-alias", "httpd", "-file",
           write("request.pem", done({"-certreq", "-alias", "httpd"}))});
  refused(1, HasSubstr("absent.pem: No such file or directory"),
          {"-importcert", "-alias", "httpd", "-file", "absent.pem"});
  std::string damaged = reply("httpd");
  damaged.resize(damaged.size() - 30);
  refused(1, HasSubstr("damaged.pem: "),
          {"-importcert", "-alias", "httpd", "-file", write("damaged.pem", damaged)});
}

TEST_F(ImportCertTest, StoresATrustedCertificateUnderANewAlias) {
  const auto file = write("root.pem", ca_.root_pem());
  done({"-importcert", "-noprompt", "-trustcacerts", "-alias", "root", "-file", file});
  EXPECT_THAT(objects(),
              testing::ElementsAre(AllOf(StartsWith("Certificate Object"), HasSubstr("label:      root"))));
  EXPECT_EQ(done({"-exportcert", "-rfc", "-alias", "root"}), ca_.root_pem());
  refused(1, HasSubstr("alias \"root\" already exists as a trusted certificate (token \"web\")"),
          {"-importcert", "-noprompt", "-alias", "root", "-file", file});
}

// keytool would store the leaf as a trusted certificate, and the server would go on with the old one.
TEST_F(ImportCertTest, RefusesAReplyUnderAMisspeltAlias) {
  make_alias("httpd");
  const std::string leaf = ca_.sign(done({"-certreq", "-alias", "httpd"}));
  refused(1, HasSubstr("belongs to the key of alias \"httpd\", not to \"htpd\"; write -alias httpd"),
          {"-importcert", "-noprompt", "-alias", "htpd", "-file", write("leaf.pem", leaf)});
  refused(1, HasSubstr("alias \"htpd\" has no key, and "),
          {"-importcert", "-noprompt", "-alias", "htpd", "-file", write("reply.pem", reply("httpd"))});
}

TEST_F(ImportCertTest, AsksAPersonWhetherToTrust) {
  const auto file = write("root.pem", ca_.root_pem());
  const test::Arguments command{keystay_program(), "-importcert", "-alias", "root", "-file", file};
  const test::Environment environment{{"KEYSTAY_CONF", configuration_}};
  {
    PseudoTerminal terminal(command, environment);
    ASSERT_TRUE(terminal.wait_for_text("Trust this certificate? [no]:"));
    EXPECT_THAT(terminal.screen(), HasSubstr("Certificate fingerprints:"));
    terminal.type("\n");
    EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr("certificate was not added"));
    EXPECT_THAT(objects(), testing::IsEmpty());
  }
  PseudoTerminal terminal(command, environment);
  ASSERT_TRUE(terminal.wait_for_text("Trust this certificate? [no]:"));
  terminal.type("yes\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_THAT(objects(), SizeIs(1));
}

TEST_F(ImportCertTest, AsksWhetherACertificateIsToHaveASecondName) {
  const auto file = write("root.pem", ca_.root_pem());
  done({"-importcert", "-noprompt", "-alias", "root", "-file", file});
  const test::Environment environment{{"KEYSTAY_CONF", configuration_}};
  const test::Arguments command{keystay_program(), "-importcert", "-alias", "second", "-file", file};
  for (const auto& [answer, objects_then] : {std::pair("no\n", 1u), std::pair("yes\n", 2u)}) {
    PseudoTerminal terminal(command, environment);
    ASSERT_TRUE(terminal.wait_for_text("Do you still want to add it? [no]:"));
    EXPECT_THAT(terminal.screen(), HasSubstr("Certificate already exists in keystore under alias <root>"));
    terminal.type(answer);
    EXPECT_EQ(terminal.wait(), objects_then == 2 ? 0 : 1) << terminal.screen();
    EXPECT_THAT(objects(), SizeIs(objects_then));
  }
  refused(1, EndsWith("keystay: nobody can be asked whether to add it under another name; write -noprompt\n"),
          {"-importcert", "-alias", "third", "-file", file});
  done({"-importcert", "-noprompt", "-alias", "third", "-file", file});
  EXPECT_THAT(done({"-list"}), AllOf(HasSubstr("root, "), HasSubstr("second, "), HasSubstr("third, ")));
  done({"-delete", "-alias", "second"});
  EXPECT_THAT(objects(), SizeIs(2));
}

TEST_F(ImportCertTest, RefusesToTrustIfNobodyCanBeAsked) {
  const std::vector<std::string> before = objects();
  const test::Outcome outcome =
      keystay({"-importcert", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  EXPECT_EQ(outcome.exit_code, 1) << outcome;
  EXPECT_THAT(outcome.error, EndsWith("keystay: nobody can be asked whether to trust it; write -noprompt\n"));
  EXPECT_EQ(objects(), before);
}

TEST_F(ImportCertTest, SaysThatAKeyHasACurveWrittenOut) {
  make_alias("httpd");
  const auto key = write("explicit.key", test::run_or_throw({"openssl", "ecparam", "-name", "prime256v1",
                                                             "-param_enc", "explicit", "-genkey", "-noout"}));
  const std::string pem = test::run_or_throw(
      {"openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=explicit", "-days", "10"});
  refused(1,
          AllOf(HasSubstr("it has a public key that Keystay does not use"), HasSubstr("explicit parameters")),
          {"-importcert", "-alias", "httpd", "-file", write("explicit.pem", pem)});
}

TEST_F(ImportCertTest, GivesANameToARootThatCameWithAChain) {
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd") + ca_.root_pem())});
  const auto before = objects().size();
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  EXPECT_THAT(objects(), SizeIs(before)) << "the same object";
  EXPECT_THAT(done({"-list"}), HasSubstr("root, "));
  EXPECT_EQ(done({"-exportcert", "-rfc", "-alias", "root"}), ca_.root_pem());
}

TEST_F(ImportCertTest, FindsATrustedNameInAnyLetterCase) {
  const auto file = write("root.pem", ca_.root_pem());
  done({"-importcert", "-noprompt", "-alias", "Our Root", "-file", file});
  EXPECT_EQ(done({"-exportcert", "-rfc", "-alias", "our root"}), ca_.root_pem());
  refused(1, HasSubstr("already exists"), {"-importcert", "-noprompt", "-alias", "OUR ROOT", "-file", file});
  done({"-delete", "-alias", "our ROOT"});
  EXPECT_THAT(objects(), testing::IsEmpty());
}

TEST_F(ImportCertTest, SaysWhatItSkips) {
  make_alias("httpd");
  const test::SoftwareIdentity other = ca_.issue(test::KeyKind::ec);
  const test::Outcome outcome = keystay(
      {"-importcert", "-alias", "httpd", "-file", write("reply.pem", other.key_pem + reply("httpd"))});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_THAT(outcome.error, HasSubstr("the PEM block \"PRIVATE KEY\" of"));
}

}  // namespace
}  // namespace keystay::tools
