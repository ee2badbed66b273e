// group diff and group test: what they find, and what they call a failure.
#include "tests/keystore-tools/group_tool.h"

namespace keystay::tools {
namespace {

using test::Function;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class GroupDiffTest : public GroupToolTest {
 protected:
  GroupDiffTest() { bring_key("httpd"); }

  // The exit code must be 1. Returns what stands on both streams.
  [[nodiscard]] test::Outcome failed(const test::Arguments& arguments) const {
    test::Outcome outcome = keystay(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    return outcome;
  }
};

TEST_F(GroupDiffTest, SaysNothingWhereMembersHaveTheSame) {
  EXPECT_THAT(done({"group", "diff"}), IsEmpty());
  EXPECT_EQ(done({"-groupdiff", "-json", "-token", "front"}),
            "{\"group\":\"front\",\"differences\":[],\"not-compared\":[]}\n");
}

TEST_F(GroupDiffTest, ShowsEachDifferenceAndNothingElse) {
  done({"-delete", "-alias", "httpd", "-token", "hsm-b"});
  done({"-genkeypair", "-alias", "mail", "-keyalg", "EC", "-token", "hsm-c"});
  const test::Outcome outcome = failed({"group", "diff"});
  EXPECT_EQ(outcome.output,
            "hsm-b lacks \"httpd\", which hsm-a has\n"
            "hsm-a lacks \"mail\", which hsm-c has\n"
            "hsm-b lacks \"mail\", which hsm-c has\n");
  EXPECT_EQ(outcome.error, "keystay: 3 differences between the members of \"front\"\n");
  EXPECT_THAT(failed({"group", "diff", "--json"}).output,
              HasSubstr("{\"alias\":\"httpd\",\"kind\":\"missing\",\"member\":\"hsm-b\",\"other\":\"hsm-a\","
                        "\"text\":\"hsm-b lacks \\\"httpd\\\", which hsm-a has\"}"));
}

TEST_F(GroupDiffTest, TellsAnotherKeyAnotherIdAndAnotherCertificate) {
  bring_key("mail");
  done({"-delete", "-alias", "httpd", "-token", "hsm-c"});
  done({"-genkeypair", "-alias", "httpd", "-keyalg", "EC", "-token", "hsm-c"});
  const std::string request = done({"-certreq", "-alias", "mail", "-dname", "CN=localhost"});
  const std::string reply = write("mail.pem", ca_.sign_with_chain(request));
  done({"-importcert", "-alias", "mail", "-token", "hsm-b", "-file", reply});
  EXPECT_EQ(failed({"group", "diff"}).output,
            "hsm-c has another key under \"httpd\" than hsm-a\n"
            "hsm-b has another certificate for \"mail\" than hsm-a, which has none\n");
}

TEST_F(GroupDiffTest, NamesWhoWasNotCompared) {
  faults('b').remove_token();
  EXPECT_THAT(failed({"group", "diff"}).error,
              AllOf(HasSubstr("not all members were compared: hsm-b: "), HasSubstr("hsm-b")));
  EXPECT_THAT(failed({"group", "diff", "--json"}).output, HasSubstr("\"not-compared\":[{\"name\":\"hsm-b\""));
  faults('b').return_token();
}

TEST_F(GroupDiffTest, RefusesATokenThatIsNoGroup) {
  for (const char* command : {"-groupdiff", "-grouptest"})
    EXPECT_THAT(failed({command, "-token", "hsm-a"}).error, HasSubstr("\"hsm-a\" is no group"));
}

class GroupTestTest : public GroupDiffTest {};

TEST_F(GroupTestTest, SignsWithEachKeyOnEachMember) {
  bring_key("rsa", kRsa);
  for (const char token : {'a', 'b', 'c'}) faults(token).reset_calls();
  EXPECT_THAT(done({"group", "test"}), MatchesRegex("Group \"front\": 3 members\n"
                                                    "  hsm-a  httpd  [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-b  httpd  [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-c  httpd  [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-a  rsa    [0-9.]+ ms, CKM_RSA_PKCS\n"
                                                    "  hsm-b  rsa    [0-9.]+ ms, CKM_RSA_PKCS\n"
                                                    "  hsm-c  rsa    [0-9.]+ ms, CKM_RSA_PKCS\n"));
  for (const char token : {'a', 'b', 'c'}) EXPECT_GE(faults(token).calls(Function::C_Sign), 2U) << token;
  EXPECT_THAT(
      done({"-grouptest", "-alias", "rsa", "-json"}),
      MatchesRegex("\\{\"group\":\"front\",\"members\":\\[.*\"signatures\":\\[\\{\"member\":\"hsm-a\","
                   "\"alias\":\"rsa\",\"mechanism\":\"CKM_RSA_PKCS\",\"milliseconds\":.*\n"));
}

TEST_F(GroupTestTest, SignsWithKeysOfEachKindThatSigns) {
  configure("[group.front]\nmembers = [\"hsm-a\"]\n");
  for (const char* curve : {"secp384r1", "secp521r1", "secp256k1"})
    done({"-genkeypair", "-alias", curve, "-keyalg", "EC", "-groupname", curve, "-token", "hsm-a"});
  done({"-genkeypair", "-alias", "Ed25519", "-keyalg", "Ed25519", "-token", "hsm-a"});
  pkcs11_tool_on('a', {"--keypairgen", "--key-type", "rsa:2048", "--label", "decrypts", "--id", "0d",
                       "--allowed-mechanisms", "RSA-PKCS-OAEP"});
  EXPECT_THAT(done({"group", "test"}), MatchesRegex("Group \"front\": 1 member\n"
                                                    "  hsm-a  Ed25519    [0-9.]+ ms, CKM_EDDSA\n"
                                                    "  hsm-a  httpd      [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-a  secp256k1  [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-a  secp384r1  [0-9.]+ ms, CKM_ECDSA\n"
                                                    "  hsm-a  secp521r1  [0-9.]+ ms, CKM_ECDSA\n"));
  EXPECT_THAT(failed({"-test", "-alias", "decrypts", "-token", "hsm-a"}).error,
              HasSubstr("\"decrypts\" is a key that cannot sign"));
}

TEST_F(GroupTestTest, SignsByPssWhereTheKeyAllowsNothingElse) {
  pkcs11_tool_on('a', {"--keypairgen", "--key-type", "rsa:2048", "--label", "pss", "--id", "0e",
                       "--allowed-mechanisms", "RSA-PKCS-PSS"});
  EXPECT_THAT(failed({"group", "test", "--alias", "pss"}).output,
              AllOf(HasSubstr("hsm-a  pss  "), HasSubstr("CKM_RSA_PKCS_PSS\n")));
}

TEST_F(GroupTestTest, NamesTheMemberAndTheKeyThatFails) {
  faults('b').fail(Function::C_Sign, CKR_DEVICE_ERROR, test::kEveryCall);
  const test::Outcome outcome = failed({"group", "test"});
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("hsm-b  httpd  fails: "), HasSubstr("CKR_DEVICE_ERROR"),
                                    HasSubstr("hsm-c  httpd  ")));
  EXPECT_THAT(outcome.error, AllOf(StartsWith("keystay: hsm-b: \"httpd\": "), HasSubstr("CKR_DEVICE_ERROR")));
}

// The private key on hsm-b is another one than the public key beside it says.
TEST_F(GroupTestTest, FindsAMemberThatSignsWrongly) {
  const std::string public_key = (token_.directory().path() / "httpd.pub").string();
  done({"-delete", "-alias", "httpd", "-token", "hsm-b"});
  pkcs11_tool_on('b', {"--keypairgen", "--key-type", "EC:secp256r1", "--label", "httpd", "--id", "05"});
  pkcs11_tool_on('b', {"--delete-object", "--type", "pubkey", "--label", "httpd"});
  pkcs11_tool_on('b', {"--write-object", public_key, "--type", "pubkey", "--label", "httpd", "--id", "05"});
  const test::Outcome outcome = failed({"group", "test"});
  EXPECT_THAT(outcome.error, AllOf(StartsWith("keystay: hsm-b: \"httpd\": "),
                                   HasSubstr("a signature that its public key does not verify")));
  EXPECT_THAT(outcome.output, ContainsRegex("hsm-c  httpd  [0-9.]+ ms"));
  EXPECT_THAT(failed({"-test", "-token", "hsm-b"}).error, HasSubstr("does not verify"));
}

TEST_F(GroupTestTest, IsNotDoneWhereAMemberCannotBeAsked) {
  done({"-delete", "-alias", "httpd", "-token", "hsm-b"});
  faults('c').remove_token();
  const test::Outcome outcome = failed({"group", "test"});
  EXPECT_THAT(outcome.error, AllOf(HasSubstr("hsm-c: "), HasSubstr("; hsm-b: \"httpd\": the member lacks the "
                                                                   "key, which hsm-a has")));
  EXPECT_THAT(outcome.output, ContainsRegex("hsm-a  httpd  [0-9.]+ ms"));
  faults('c').return_token();
}

// CKA_SIGN of the key is false, on all members or on some.
TEST_F(GroupTestTest, KnowsKeysThatMayNotSign) {
  for (const char token : {'a', 'b', 'c'})
    faults(token).fail(Function::C_SignInit, CKR_KEY_FUNCTION_NOT_PERMITTED, test::kEveryCall);
  EXPECT_THAT(failed({"group", "test"}).error, HasSubstr("no member of \"front\" has a key that signs"));
  EXPECT_THAT(failed({"group", "test", "--alias", "httpd"}).error,
              HasSubstr("CKR_KEY_FUNCTION_NOT_PERMITTED"));
  EXPECT_THAT(failed({"group", "test", "--alias", "absent"}).error,
              HasSubstr("no member of \"front\" has a key \"absent\" that signs"));
  faults('a').reset();
  EXPECT_THAT(failed({"group", "test"}).error, StartsWith("keystay: hsm-b: \"httpd\": "));
}

}  // namespace
}  // namespace keystay::tools
