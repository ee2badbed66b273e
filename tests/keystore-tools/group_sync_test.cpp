// group sync: whose certificate goes to whom; and what group status, test and -list say of a group.
#include "tests/keystore-tools/group_tool.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

class GroupSyncTest : public GroupToolTest {
 protected:
  // On all members, with one self-signed certificate.
  void make_key(const std::string& alias) {
    done({"group", "init", "-noprompt"});
    done({"-genkeypair", "-alias", alias, "-keyalg", "EC", "-noprompt", "-dname", "CN=localhost"});
  }
  [[nodiscard]] std::string request(const std::string& alias) { return done({"-certreq", "-alias", alias}); }
  [[nodiscard]] test::Outcome failed(const test::Arguments& arguments) const {
    test::Outcome outcome = keystay(arguments);
    EXPECT_EQ(outcome.exit_code, 1) << outcome;
    return outcome;
  }
};

// The CA has dated it back, as many do, and the self-signed one began later.
TEST_F(GroupSyncTest, ACertificateOfACaGoesBeforeTheSelfSignedOneThatStoodInForIt) {
  make_key("web");
  const std::string reply = ca_.sign_with_chain(request("web"));
  done({"-importcert", "-alias", "web", "-token", "hsm-b", "-file", write("web.pem", reply)});
  done({"group", "sync"});
  EXPECT_THAT(done({"group", "diff"}), IsEmpty());
  for (const char* member : {"hsm-a", "hsm-b", "hsm-c"})
    EXPECT_THAT(reply, HasSubstr(done({"-exportcert", "-alias", "web", "-rfc", "-token", member}))) << member;
}

TEST_F(GroupSyncTest, IssuersThatAMemberLacksAreShownAndBrought) {
  make_key("web");
  const std::string web_request = request("web");
  const std::string leaf = ca_.sign(web_request);
  const std::string leaf_alone = write("leaf.pem", leaf);
  const std::string chain = write("chain.pem", leaf + ca_.intermediate_pem());
  done({"-importcert", "-alias", "web", "-file", leaf_alone, "-noprompt"});
  EXPECT_THAT(done({"group", "diff"}), IsEmpty());
  done({"-importcert", "-alias", "web", "-file", chain, "-token", "hsm-b"});
  EXPECT_EQ(failed({"group", "diff"}).output,
            "hsm-b has 1 issuer for the certificate of \"web\", hsm-a no issuer\n");
  EXPECT_THAT(failed({"group", "diff", "--json"}).output,
              HasSubstr("\"kind\":\"issuers\",\"member\":\"hsm-b\""));
  EXPECT_THAT(failed({"group", "status"}).output, HasSubstr("hsm-b has 1 issuer"));
  done({"group", "sync"});
  EXPECT_THAT(done({"group", "diff"}), IsEmpty());
}

TEST_F(GroupSyncTest, SaysWhichKeysItDoesNotBring) {
  bring_key("httpd");
  done({"-delete", "-alias", "httpd", "-token", "hsm-b"});
  const test::Outcome outcome = keystay({"group", "sync"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.error,
            "hsm-b: lacks the key \"httpd\", which hsm-a has; certificates are brought, and no keys\n"
            "All members of \"front\" that have a key have the same certificates\n");
}

TEST_F(GroupSyncTest, NamesAMemberThatFailsOnce) {
  bring_key("httpd");
  faults('b').remove_token();
  EXPECT_THAT(failed({"group", "sync"}).error,
              AllOf(HasSubstr("hsm-b: "), Not(ContainsRegex("hsm-b: .*hsm-b: "))));
  faults('b').return_token();
}

class GroupLookTest : public GroupSyncTest {};

TEST_F(GroupLookTest, OneTokenUnderTwoNamesIsTold) {
  configure("[token.again]\nmodule = \"" + faults('a').loaded_as().string() + "\"\nserial = \"" +
            serials_[0] + "\"\npin = \"file:" + token_.pin_file().string() +
            "\"\n[group.front]\nmembers = [\"hsm-a\", \"hsm-b\", \"again\"]\n");
  const test::Outcome outcome = failed({"group", "status"});
  EXPECT_THAT(outcome.output, HasSubstr("again is the same token as hsm-a, serial " + serials_[0]));
  EXPECT_EQ(outcome.error, "keystay: two members are one token\n");
  EXPECT_THAT(failed({"group", "status", "--json"}).output, HasSubstr("again is the same token as hsm-a"));
}

TEST_F(GroupLookTest, TestReachesEachMember) {
  bring_key("httpd");
  EXPECT_THAT(done({"-test"}),
              MatchesRegex("token \"hsm-a\": reached in [0-9.]+ ms: label \"hsm-a\", serial .*\n"
                           "token \"hsm-b\": reached in .*\n"
                           "token \"hsm-c\": reached in .*\n"
                           "login: done\nsignature: with \"httpd\", [0-9.]+ ms\nConnected\n"));
  faults('b').remove_token();
  const test::Outcome outcome = failed({"-test"});
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("token \"hsm-b\": fails: "),
                                    HasSubstr("signature: with \"httpd\""), Not(HasSubstr("Connected"))));
  EXPECT_THAT(outcome.error,
              HasSubstr("1 of 3 members of group \"front\" cannot be used; it works by the others"));
  for (const char member : {'a', 'c'}) faults(member).remove_token();
  EXPECT_THAT(failed({"-test"}).error, HasSubstr("no member of group \"front\" can be used"));
  for (const char member : {'a', 'b', 'c'}) faults(member).return_token();
}

TEST_F(GroupLookTest, ListNamesTheMembers) {
  EXPECT_THAT(done({"-list"}), HasSubstr("\nGroup \"front\" (hsm-a, hsm-b, hsm-c)\n"));
}

TEST_F(GroupLookTest, AKeyThatNoMemberLetsOutHasARemedy) {
  done({"group", "init", "-noprompt"});
  EXPECT_THAT(
      failed({"-genkeypair", "-alias", "ed", "-keyalg", "Ed25519", "-noprompt"}).error,
      AllOf(HasSubstr("no key was made: hsm-b: C_WrapKey: CKR_KEY_NOT_WRAPPABLE"),
            HasSubstr("choose another one"), HasSubstr("bring it to each by the means of its vendor")));
}

}  // namespace
}  // namespace keystay::tools
