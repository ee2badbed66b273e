// A key or certificate that nothing can be done with: every command says what it is and why, and -delete
// destroys exactly that object.
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class UnusableKeyTest : public KeystayTest {
 protected:
  void make_key(const std::string& label, const std::string& id) {
    token_.pkcs11_tool({"--keypairgen", "--key-type", "EC:secp256r1", "--label", label, "--id", id});
  }
  void destroy_public_key(const std::string& label) {
    token_.pkcs11_tool({"--delete-object", "--type", "pubkey", "--label", label});
  }
  void make_unusable(const std::string& label, const std::string& id) {
    make_key(label, id);
    destroy_public_key(label);
  }

  void refused_for(const std::string& reason, const std::string& alias) {
    const auto message = AllOf(HasSubstr("alias \"" + alias + "\" is a"), HasSubstr(reason));
    refused(1, message, {"-list", "-alias", alias});
    refused(1, message, {"-exportcert", "-alias", alias});
    refused(1, message, {"-certreq", "-alias", alias, "-dname", "CN=x"});
    refused(1, message, {"-exportref", "-alias", alias});
    refused(1, message, {"-changealias", "-alias", alias, "-destalias", "x"});
  }
};

TEST_F(UnusableKeyTest, WithoutPublicHalfIsToldByEveryCommandAndDestroyedByItsLabel) {
  make_alias("good");
  make_unusable("bad", "0a");
  refused_for("cannot be used: it has neither a public key object nor a certificate", "bad");
  done({"-delete", "-alias", "bad"});
  EXPECT_THAT(objects(), AllOf(SizeIs(3), Not(Contains(HasSubstr("label:      bad")))));
  refused(1, HasSubstr("alias \"bad\" does not exist"), {"-delete", "-alias", "bad"});
}

TEST_F(UnusableKeyTest, IsDestroyedByItsIdInAnyLetterCase) {
  make_unusable("bad", "0a");
  make_unusable("bad", "0b");
  refused(1, HasSubstr("name one by its id: id:0a, id:0b"), {"-delete", "-alias", "bad"});
  refused(1, HasSubstr("cannot be used"), {"-list", "-alias", "ID:0A"});
  done({"-delete", "-alias", "ID:0A"});
  EXPECT_THAT(objects(), SizeIs(1));
  done({"-delete", "-alias", "BAD"});
  EXPECT_THAT(objects(), SizeIs(0));
}

TEST_F(UnusableKeyTest, WithTheIdOfAnotherIsDestroyedByItsOnlyLabel) {
  make_key("a", "0a");
  make_key("b", "0a");
  destroy_public_key("a");
  destroy_public_key("b");
  refused(1, AllOf(HasSubstr("\"a\""), HasSubstr("\"b\"")), {"-delete", "-alias", "id:0a"});
  done({"-delete", "-alias", "a"});
  EXPECT_THAT(objects(), AllOf(SizeIs(1), Contains(HasSubstr("label:      b"))));
}

TEST_F(UnusableKeyTest, BesideAUsableOneOfItsLabelIsNotChosen) {
  make_unusable("dup", "0a");
  make_key("dup", "0b");
  const auto message = AllOf(HasSubstr("id:0a"), HasSubstr("id:0b"));
  for (const char* command : {"-delete", "-list"}) refused(1, message, {command, "-alias", "dup"});
  done({"-delete", "-alias", "id:0a"});
  EXPECT_THAT(done({"-list"}), AllOf(HasSubstr("\ndup, PrivateKeyEntry"), Not(HasSubstr("cannot be used"))));
}

TEST_F(UnusableKeyTest, KeepsItsNameFromOthers) {
  make_unusable("bad", "0a");
  const auto message = HasSubstr("alias \"bad\" already exists");
  refused(1, message, {"-genkeypair", "-alias", "Bad", "-keyalg", "EC"});
  refused(1, HasSubstr("alias \"bad\" is a key that cannot be used"),
          {"-importcert", "-noprompt", "-alias", "BAD", "-file", write("root.pem", ca_.root_pem())});
}

TEST_F(UnusableKeyTest, IsNotDestroyedThroughAFileThatForgets) {
  make_unusable("bad", "0a");
  const std::string file = write("web.keystore",
                                 "# Keystay key store, version 1\ntoken = \"web\"\nscope = \"listed\"\n"
                                 "delete = \"forget\"\naliases = [\"bad\"]\n");
  done({"-delete", "-alias", "bad", "-keystore", file});
  EXPECT_THAT(objects(), SizeIs(1));
  refused(1, HasSubstr("not on the list of"), {"-delete", "-alias", "bad", "-keystore", file});
}

}  // namespace
}  // namespace keystay::tools
