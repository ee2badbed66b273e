#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class DeleteTest : public KeystayTest {};

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

TEST_F(DeleteTest, DestroysATrustedCertificate) {
  done({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())});
  done({"-delete", "-alias", "root"});
  EXPECT_THAT(objects(), IsEmpty());
}

TEST_F(DeleteTest, SaysThatAnAliasDoesNotExist) {
  make_alias("httpd");
  refused(1, HasSubstr("alias \"nobody\" does not exist"), {"-delete", "-alias", "nobody"});
}

// keytool has a default alias; here the word that destroys a key must be written.
TEST_F(DeleteTest, NeedsTheAlias) {
  done({"-genkeypair", "-keyalg", "EC"});
  refused(2, HasSubstr("--alias is required"), {"-delete"});
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
  refused(1, HasSubstr("alias \"ftpd\" already exists on token \"web\""),
          {"-changealias", "-alias", "httpd", "-destalias", "ftpd"});
  refused(1, HasSubstr("alias \"nobody\" does not exist"),
          {"-changealias", "-alias", "nobody", "-destalias", "x"});
  refused(2, HasSubstr("--destalias is required"), {"-changealias", "-alias", "httpd"});
}

}  // namespace
}  // namespace keystay::tools
