// group add, remove, promote and reorder: what becomes of keystay.toml, and when nothing does.
#include <filesystem>

#include <sys/stat.h>

#include "tests/keystore-tools/group_tool.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kThree =
    "[group.front] # ours\nmembers = [\n  \"hsm-a\", # first\n  \"hsm-b\",\n"
    "  \"hsm-c\",\n]\nmin-active = 2\n# the end";

class GroupChangeTest : public GroupToolTest {
 protected:
  GroupChangeTest() { configure(kThree); }

  // Of the file behind the tokens.
  [[nodiscard]] std::string section() const {
    const std::string text = configured();
    return text.substr(text.find("[group."));
  }
  // What a command says that is done.
  [[nodiscard]] std::string said(const test::Arguments& arguments) const {
    const test::Outcome outcome = keystay(arguments);
    EXPECT_TRUE(outcome.ok()) << outcome;
    EXPECT_EQ(outcome.output, "");
    return outcome.error;
  }
  // The exit code must be this, and the file as it was. Returns the message.
  [[nodiscard]] std::string refusal(int code, const test::Arguments& arguments) const {
    const std::string before = configured();
    const test::Outcome outcome = keystay(arguments);
    EXPECT_EQ(outcome.exit_code, code) << outcome;
    EXPECT_EQ(configured(), before);
    return outcome.error;
  }
};

TEST_F(GroupChangeTest, AMemberIsAddedThatHasTheKeys) {
  bring_key("httpd");
  ::chmod(configuration_.c_str(), 0640);
  pkcs11_tool_on('d', {"--write-object", (token_.directory().path() / "httpd.key").string(), "--type",
                       "privkey", "--label", "httpd", "--id", "05", "--usage-sign"});
  pkcs11_tool_on('d', {"--write-object", (token_.directory().path() / "httpd.pub").string(), "--type",
                       "pubkey", "--label", "httpd", "--id", "05"});
  const std::string dry = said({"group", "add", "hsm-d", "--dry-run"});
  EXPECT_THAT(dry,
              AllOf(StartsWith("hsm-d: answered in "), HasSubstr(", 1 key, serial "),
                    EndsWith("Group \"front\" would have hsm-a, hsm-b active, and hsm-c, hsm-d standing by, "
                             "as long as all answer\n")));
  EXPECT_EQ(section(), kThree);
  EXPECT_THAT(said({"group", "add", "hsm-d"}),
              AllOf(HasSubstr("Group \"front\" has now hsm-a, hsm-b active, and hsm-c, hsm-d standing by"),
                    HasSubstr("keystay-tlsd notices at SIGHUP")));
  EXPECT_EQ(section(),
            "[group.front] # ours\nmembers = [\n  \"hsm-a\", # first\n  \"hsm-b\",\n  \"hsm-c\",\n"
            "  \"hsm-d\",\n]\nmin-active = 2\n# the end");
  struct stat status {};
  ASSERT_EQ(::stat(configuration_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640U);
  EXPECT_EQ(done({"group", "diff"}), "");
}

TEST_F(GroupChangeTest, ATokenThatLacksKeysIsAddedOnlyByForce) {
  bring_key("httpd");
  for (const bool dry_run : {true, false}) {
    test::Arguments arguments{"-groupadd", "hsm-d"};
    if (dry_run) arguments.emplace_back("-dryrun");
    EXPECT_THAT(refusal(1, arguments),
                AllOf(HasSubstr("hsm-d lacks \"httpd\", which hsm-a has\n"),
                      HasSubstr("keystay: hsm-d lacks 1 of the group's keys; "), HasSubstr("--force")));
  }
  EXPECT_THAT(said({"-groupadd", "hsm-d", "-force"}),
              AllOf(HasSubstr("hsm-d lacks \"httpd\""), HasSubstr("has now")));
  EXPECT_THAT(section(), HasSubstr("\"hsm-d\",\n]"));
}

TEST_F(GroupChangeTest, ATokenThatDoesNotAnswerIsAddedOnlyByForce) {
  faults('d').remove_token();
  EXPECT_THAT(refusal(1, {"group", "add", "hsm-d"}), HasSubstr("keystay: hsm-d cannot be used: "));
  EXPECT_THAT(said({"group", "add", "--force", "hsm-d"}), HasSubstr("has now"));
  faults('d').return_token();
}

TEST_F(GroupChangeTest, WhatTheGroupHasMustBeKnown) {
  for (const char token : {'a', 'b', 'c'}) faults(token).remove_token();
  EXPECT_THAT(refusal(1, {"group", "add", "hsm-d"}),
              AllOf(HasSubstr("not compared with hsm-a: "), HasSubstr("no member answers")));
  for (const char token : {'a', 'b', 'c'}) faults(token).return_token();
}

TEST_F(GroupChangeTest, OneTokenIsNoTwoMembers) {
  std::string text = configured();
  text.insert(text.find("[group."), "[token.again]\nmodule = \"" + faults('a').loaded_as().string() +
                                        "\"\nserial = \"" + serials_.front() +
                                        "\"\npin = \"file:" + token_.pin_file().string() + "\"\n");
  write("group.toml", text);
  EXPECT_THAT(refusal(1, {"group", "add", "again"}),
              HasSubstr("again and hsm-a are the same token, serial "));
  EXPECT_THAT(refusal(1, {"group", "add", "again", "--force"}), HasSubstr("the same token"));
}

TEST_F(GroupChangeTest, AMemberIsRemovedWithoutAskingIt) {
  faults('b').remove_token();
  EXPECT_THAT(said({"group", "remove", "hsm-b", "--dry-run"}), HasSubstr("would have hsm-a, hsm-c active,"));
  EXPECT_EQ(section(), kThree);
  EXPECT_THAT(said({"group", "remove", "hsm-b"}),
              AllOf(HasSubstr("has now hsm-a, hsm-c active, as long as"), Not(HasSubstr("standing by"))));
  EXPECT_EQ(section(),
            "[group.front] # ours\nmembers = [\n  \"hsm-a\", # first\n  \"hsm-c\",\n]\n"
            "min-active = 2\n# the end");
  EXPECT_THAT(refusal(1, {"group", "remove", "hsm-c"}),
              AllOf(HasSubstr("with these members the file would be refused: "),
                    HasSubstr("group.front.min-active: 2 is more than the group has members")));
  faults('b').return_token();
}

TEST_F(GroupChangeTest, MembersGetAnotherOrder) {
  EXPECT_THAT(said({"group", "promote", "hsm-c"}),
              HasSubstr("has now hsm-c, hsm-a active, and hsm-b standing by"));
  EXPECT_THAT(section(), HasSubstr("[\n  \"hsm-c\", # first\n  \"hsm-a\",\n  \"hsm-b\",\n]"));
  EXPECT_THAT(said({"-groupreorder", "hsm-b, hsm-c,hsm-a"}), HasSubstr("has now hsm-b, hsm-c active"));
  EXPECT_THAT(section(), HasSubstr("[\n  \"hsm-b\", # first\n  \"hsm-c\",\n  \"hsm-a\",\n]"));
  EXPECT_THAT(said({"group", "reorder", "hsm-a,hsm-b,hsm-c"}), HasSubstr("has now"));
  EXPECT_EQ(section(), kThree);
}

TEST_F(GroupChangeTest, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(refusal(1, {"group", "add", "hsm-x"}), HasSubstr("there is no section [token.hsm-x]"));
  EXPECT_THAT(refusal(1, {"group", "add", "hsm-a"}), HasSubstr("\"hsm-a\" is a member already"));
  EXPECT_THAT(refusal(1, {"group", "remove", "hsm-d"}), HasSubstr("\"hsm-d\" is no member"));
  EXPECT_THAT(refusal(1, {"group", "promote", "hsm-d"}), HasSubstr("\"hsm-d\" is no member"));
  EXPECT_THAT(refusal(1, {"group", "reorder", "hsm-c,hsm-a"}), HasSubstr("the order lacks \"hsm-b\""));
  EXPECT_THAT(refusal(1, {"group", "remove", "hsm-a", "-token", "hsm-a"}), HasSubstr("is no group"));
  EXPECT_THAT(refusal(2, {"group", "remove"}), HasSubstr("NAME is required"));
  EXPECT_THAT(refusal(2, {"group", "remove", "hsm-a", "hsm-b"}), HasSubstr("\"hsm-b\" belongs to no option"));
  EXPECT_THAT(refusal(2, {"group", "remove", "hsm-a", "--force"}), HasSubstr("unknown option --force"));
}

}  // namespace
}  // namespace keystay::tools
