#include "tests/keystore-tools/keystay_program.h"
#include "tests/keystore-tools/pseudo_terminal.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class DeleteTest : public KeystayTest {
 protected:
  void make_alias_by_pkcs11_tool(const std::string& label) {
    token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", label, "--id",
                        "1" + std::to_string(made_++)});
  }

 private:
  int made_ = 0;
};

TEST_F(DeleteTest, DestroysKeyPairCertificateAndIssuersThatNobodyElseNeeds) {
  make_alias("httpd");
  make_alias("other");
  for (const char* alias : {"httpd", "other"}) {
    done({"-importcert", "-alias", alias, "-file", write("reply.pem", reply(alias))});
  }
  EXPECT_THAT(objects(), SizeIs(7)) << "the intermediate is shared";
  done({"-delete", "-alias", "httpd"});
  EXPECT_THAT(objects(), AllOf(SizeIs(4), Each(Not(HasSubstr("label:      httpd")))));
  done({"-delete", "-alias", "other"});
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(DeleteTest, OnlySaysWhatItWouldDestroyWhenThatIsAskedFor) {
  make_alias("httpd");
  const std::vector<std::string> before = objects();
  const test::Outcome outcome = keystay({"-delete", "-alias", "HTTPD", "--dry-run"});
  EXPECT_TRUE(outcome.ok()) << outcome;
  EXPECT_EQ(outcome.error, "alias \"httpd\" would be destroyed on token \"web\"\n");
  refused(1, HasSubstr("does not exist"), {"-delete", "-alias", "nobody", "--dry-run"});
  token_.pkcs11_tool({"--delete-object", "--type", "privkey", "--label", "httpd"});
  const std::vector<std::string> left = objects();
  EXPECT_NE(left, before);
  const test::Outcome shown = keystay({"-cleanup", "--dry-run"});
  EXPECT_TRUE(shown.ok()) << shown;
  EXPECT_THAT(shown.error, HasSubstr("public key whose private key is gone"));
  EXPECT_EQ(objects(), left);
}

// keytool's scripts, which nobody sits in front of, are not asked: all other tests here.
TEST_F(DeleteTest, AsksThePersonAtTheTerminal) {
  make_alias("httpd");
  const std::vector<std::string> before = objects();
  const test::Arguments command{keystay_program(), "-delete", "-alias", "HTTPD", "-conf", configuration_};
  for (const char* answer : {"no\n", "\n"}) {
    PseudoTerminal terminal(command, {});
    ASSERT_TRUE(terminal.wait_for_text("Destroy it, for good? [no]:")) << terminal.screen();
    EXPECT_THAT(terminal.screen(),
                AllOf(HasSubstr("alias \"httpd\" on token \"web\": EC (P-256) key with id:"),
                      HasSubstr("CN=localhost, valid until")));
    terminal.type(answer);
    EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
    EXPECT_THAT(terminal.screen(), HasSubstr("nothing was destroyed"));
    EXPECT_EQ(objects(), before);
  }
  PseudoTerminal nobody({keystay_program(), "-delete", "-alias", "nobody", "-conf", configuration_}, {});
  EXPECT_EQ(nobody.wait(), 1);
  EXPECT_THAT(nobody.screen(), AllOf(HasSubstr("does not exist"), Not(HasSubstr("Destroy"))));
  PseudoTerminal terminal(command, {});
  ASSERT_TRUE(terminal.wait_for_text("Destroy it, for good? [no]:")) << terminal.screen();
  terminal.type("yes\n");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  EXPECT_THAT(objects(), IsEmpty());
  make_alias("httpd");
  PseudoTerminal unasked(
      {keystay_program(), "-delete", "-noprompt", "-alias", "httpd", "-conf", configuration_}, {});
  EXPECT_EQ(unasked.wait(), 0) << unasked.screen();
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(DeleteTest, DestroysATrustedCertificate) {
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  done({"-delete", "-alias", "root"});
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(DeleteTest, DoesNotChooseAmongSeveral) {
  for (const char* id : {"01", "02"}) {
    token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", "dup", "--id", id});
  }
  for (const char* label : {"tri2", "Tri2", "TRI2"}) make_alias_by_pkcs11_tool(label);
  for (const char* alias : {"dup", "dup#1", "DUP#2"}) {
    refused(1, HasSubstr("by its id: id:0"), {"-delete", "-alias", alias});
    refused(1, HasSubstr("by its id: id:0"), {"-changealias", "-alias", alias, "-destalias", "x"});
  }
  refused(1, HasSubstr("differ only in letter case"), {"-delete", "-alias", "tRi2"});
  done({"-delete", "-alias", "id:02"});
  EXPECT_THAT(done({"-list"}), HasSubstr("\ndup, PrivateKeyEntry"));
}

// As an empty variable behind "id:" gives it.
TEST_F(DeleteTest, TakesNoKeyForAnIdThatIsEmpty) {
  token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", "bare"});
  const auto before = objects();
  for (const char* alias : {"id:", "ID:"}) {
    refused(2, HasSubstr("has no CKA_ID behind it"), {"-delete", "-alias", alias});
    refused(2, HasSubstr("has no CKA_ID behind it"), {"-list", "-alias", alias});
    refused(2, HasSubstr("has no CKA_ID behind it"), {"-changealias", "-alias", alias, "-destalias", "x"});
  }
  EXPECT_EQ(objects(), before);
}

// subca's certificate is the issuer of httpd's.
TEST_F(DeleteTest, LeavesTheChainsOfOthersWhole) {
  done({"-importcert", "-noprompt", "-alias", "subca", "-file", write("subca.pem", ca_.intermediate_pem())});
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  make_alias("httpd");
  done({"-importcert", "-alias", "httpd", "-file", write("reply.pem", reply("httpd"))});
  done({"-delete", "-alias", "subca"});
  done({"-delete", "-alias", "root"});
  EXPECT_THAT(done({"-list", "-v"}), AllOf(HasSubstr("chain length: 3"), HasSubstr("contains 1 entry")));
  done({"-importcert", "-noprompt", "-alias", "subca", "-file", write("subca.pem", ca_.intermediate_pem())});
  EXPECT_THAT(done({"-list"}), HasSubstr("subca, "));
  done({"-delete", "-alias", "subca"});
  done({"-delete", "-alias", "httpd"});
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(DeleteTest, SaysThatAnAliasDoesNotExist) {
  make_alias("httpd");
  refused(1, HasSubstr("alias \"nobody\" does not exist"), {"-delete", "-alias", "nobody"});
}

// keytool has a default alias; here the word that destroys a key must be written.
TEST_F(DeleteTest, NeedsTheAlias) {
  done({"-genkeypair", "-keyalg", "EC"});
  refused(2, HasSubstr(": -alias is required"), {"-delete"});
}

class ChangeAliasTest : public KeystayTest {};

TEST_F(ChangeAliasTest, RenamesKeyPairAndCertificate) {
  make_alias("httpd");
  const std::string certificate = done({"-exportcert", "-rfc", "-alias", "httpd"});
  done({"-changealias", "-alias", "httpd", "-destalias", "ftpd"});
  EXPECT_THAT(objects(), AllOf(SizeIs(3), Each(HasSubstr("label:      ftpd"))));
  EXPECT_EQ(done({"-exportcert", "-rfc", "-alias", "ftpd"}), certificate);
}

TEST_F(ChangeAliasTest, RefusesANameThatExists) {
  make_alias("httpd");
  make_alias("ftpd");
  refused(1, HasSubstr("alias \"ftpd\" already exists (token \"web\""),
          {"-changealias", "-alias", "httpd", "-destalias", "ftpd"});
  refused(1, HasSubstr("alias \"nobody\" does not exist"),
          {"-changealias", "-alias", "nobody", "-destalias", "x"});
  refused(2, HasSubstr(": -destalias is required"), {"-changealias", "-alias", "httpd"});
}

}  // namespace
}  // namespace keystay::tools
