// The members of a group in a file that somebody wrote by hand: only what is asked for changes.
#include "native/config/group_members.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/config/configuration.h"
#include "native/config/error.h"
#include "native/config/toml_document.h"

namespace keystay::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

const std::filesystem::path kFile = "keystay.toml";

// A configuration with these lines, which have the group "front", and text before and behind them.
std::string with_tokens(const std::string& group) {
  std::string text = "# für alle ☃\n";
  for (const char* name : {"hsm-a", "hsm-b", "hsm-c", "hsm-d"}) {
    text += std::string("[token.") + name + "]   # \"hsm-a\", [hsm-b]\nmodule = '/m.so'\nlabel = \"" + name +
            "\"\n";
  }
  return text + group + "\n# the end, without a line end";
}

std::vector<std::string> members_of(const std::string& text) {
  return parse_configuration(text, kFile).groups.at("front").members;
}

TEST(GroupMembers, LeftByOneStayWhatABareAliasMeans) {
  const std::string tokens =
      "[token.a]\nmodule = '/m.so'\nlabel = 'a'\n[token.b]\nmodule = '/m.so'\nlabel = 'b'\n";
  const std::string implied = tokens + "[group.front]\nmembers = ['a', 'b']\n";
  ASSERT_EQ(parse_configuration(implied, kFile).default_token, "front");
  const std::string after = without_member(implied, kFile, "front", "b");
  EXPECT_EQ(after, "default = \"front\"\n" + tokens + "[group.front]\nmembers = ['a']\n");
  const std::string named = "default = 'a'\n" + implied;
  EXPECT_THAT(without_member(named, kFile, "front", "b"), StartsWith("default = 'a'\n[token.a]"));
}

struct Form {
  const char* before;
  const char* added;    // hsm-c
  const char* removed;  // hsm-a
  const char* shorter;  // without hsm-b
  const char* turned;   // hsm-b, hsm-a
};

const Form kForms[] = {
    {"[group.front]\nmembers = [\"hsm-a\", \"hsm-b\"] # two\nmin-active = 1\n",
     "[group.front]\nmembers = [\"hsm-a\", \"hsm-b\", \"hsm-c\"] # two\nmin-active = 1\n",
     "[group.front]\nmembers = [\"hsm-b\"] # two\nmin-active = 1\n",
     "[group.front]\nmembers = [\"hsm-a\"] # two\nmin-active = 1\n",
     "[group.front]\nmembers = [\"hsm-b\", \"hsm-a\"] # two\nmin-active = 1\n"},
    {"[group.front]\nmembers=['hsm-a',\"hsm-b\",]\n",
     "[group.front]\nmembers=['hsm-a',\"hsm-b\", \"hsm-c\",]\n", "[group.front]\nmembers=[\"hsm-b\",]\n",
     "[group.front]\nmembers=['hsm-a',]\n", "[group.front]\nmembers=[\"hsm-b\",'hsm-a',]\n"},
    {"[group.front]\nmembers = [\n  \"hsm-a\",  # é, \"first\"\n  \"hsm-b\"   # second ]\n  # third\n]\n",
     "[group.front]\nmembers = [\n  \"hsm-a\",  # é, \"first\"\n  \"hsm-b\",   # second ]\n  \"hsm-c\"\n  # "
     "third\n]\n",
     "[group.front]\nmembers = [\n  # é, \"first\"\n  \"hsm-b\"   # second ]\n  # third\n]\n",
     "[group.front]\nmembers = [\n  \"hsm-a\"  # é, \"first\"\n  # second ]\n  # third\n]\n",
     "[group.front]\nmembers = [\n  \"hsm-b\",  # é, \"first\"\n  \"hsm-a\"   # second ]\n  # third\n]\n"},
    {"[group.front]\r\nmembers = [\r\n\t\"hsm-a\",\r\n\t\"hsm-b\",\r\n]\r\n",
     "[group.front]\r\nmembers = [\r\n\t\"hsm-a\",\r\n\t\"hsm-b\",\r\n\t\"hsm-c\",\r\n]\r\n",
     "[group.front]\r\nmembers = [\r\n\t\"hsm-b\",\r\n]\r\n",
     "[group.front]\r\nmembers = [\r\n\t\"hsm-a\",\r\n]\r\n",
     "[group.front]\r\nmembers = [\r\n\t\"hsm-b\",\r\n\t\"hsm-a\",\r\n]\r\n"},
    {"[group]\nfront = { min-active = 1, members = [ \"\"\"hsm-a\"\"\" , \"hsm\\u002Db\" ] } # in line\n",
     "[group]\nfront = { min-active = 1, members = [ \"\"\"hsm-a\"\"\" , \"hsm\\u002Db\", \"hsm-c\" ] } # in "
     "line\n",
     "[group]\nfront = { min-active = 1, members = [ \"hsm\\u002Db\" ] } # in line\n",
     "[group]\nfront = { min-active = 1, members = [ \"\"\"hsm-a\"\"\" ] } # in line\n",
     "[group]\nfront = { min-active = 1, members = [ \"hsm\\u002Db\" , \"\"\"hsm-a\"\"\" ] } # in line\n"},
    {"[group.'front']\n\"members\" = [ \"hsm-a\" # one\n  , \"hsm-b\" # two\n]",
     "[group.'front']\n\"members\" = [ \"hsm-a\" # one\n  , \"hsm-b\", \"hsm-c\" # two\n]",
     "[group.'front']\n\"members\" = [ # one\n  \"hsm-b\" # two\n]",
     "[group.'front']\n\"members\" = [ \"hsm-a\" # one\n  # two\n]",
     "[group.'front']\n\"members\" = [ \"hsm-b\" # one\n  , \"hsm-a\" # two\n]"},
    {"[group.front]\nmembers = [\"hsm-a\",\n           \"hsm-b\"]\n",
     "[group.front]\nmembers = [\"hsm-a\",\n           \"hsm-b\", \"hsm-c\"]\n",
     "[group.front]\nmembers = [\n           \"hsm-b\"]\n",
     "[group.front]\nmembers = [\"hsm-a\"\n           ]\n",
     "[group.front]\nmembers = [\"hsm-b\",\n           \"hsm-a\"]\n"},
};

TEST(GroupMembers, ChangeInEachFormOfAnArrayAndLeaveTheRestByteForByte) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.before);
    const std::string before = with_tokens(form.before);
    EXPECT_EQ(with_member(before, kFile, "front", "hsm-c"), with_tokens(form.added));
    EXPECT_THAT(members_of(with_tokens(form.added)), ElementsAre("hsm-a", "hsm-b", "hsm-c"));
    EXPECT_EQ(without_member(before, kFile, "front", "hsm-a"), with_tokens(form.removed));
    EXPECT_THAT(members_of(with_tokens(form.removed)), ElementsAre("hsm-b"));
    EXPECT_EQ(without_member(before, kFile, "front", "hsm-b"), with_tokens(form.shorter));
    EXPECT_THAT(members_of(with_tokens(form.shorter)), ElementsAre("hsm-a"));
    EXPECT_EQ(with_order(before, kFile, "front", {"hsm-b", "hsm-a"}), with_tokens(form.turned));
    EXPECT_THAT(members_of(with_tokens(form.turned)), ElementsAre("hsm-b", "hsm-a"));
    EXPECT_EQ(with_order(before, kFile, "front", {"hsm-a", "hsm-b"}), before);
  }
}

TEST(GroupMembers, LoseOneInTheMiddle) {
  EXPECT_EQ(without_member(with_tokens("[group.front]\nmembers = [\"hsm-a\", \"hsm-b\", \"hsm-c\"]"), kFile,
                           "front", "hsm-b"),
            with_tokens("[group.front]\nmembers = [\"hsm-a\", \"hsm-c\"]"));
  EXPECT_EQ(without_member(with_tokens("[group.front]\nmembers = [\n\"hsm-a\",\n\"hsm-b\" # b\n, # of b\n"
                                       "\"hsm-c\"]"),
                           kFile, "front", "hsm-b"),
            with_tokens("[group.front]\nmembers = [\n\"hsm-a\",\n # b\n # of b\n\"hsm-c\"]"));
}

TEST(GroupMembers, OfAnotherGroupStay) {
  const std::string before =
      with_tokens("[group.back]\nmembers = [\"hsm-a\"]\n[group.front]\nmembers = [\"hsm-a\"]");
  EXPECT_EQ(
      with_member(before, kFile, "front", "hsm-b"),
      with_tokens("[group.back]\nmembers = [\"hsm-a\"]\n[group.front]\nmembers = [\"hsm-a\", \"hsm-b\"]"));
}

TEST(GroupMembers, AreRefusedWhereTheFileWouldBeInvalid) {
  const std::string two = with_tokens("[group.front]\nmembers = [\"hsm-a\", \"hsm-b\"]\nmin-active = 2");
  const auto add = [&](const std::string& member) { return with_member(two, kFile, "front", member); };
  EXPECT_THAT([&] { (void)add("hsm-x"); },
              ThrowsMessage<Error>(HasSubstr("group.front.members: there is no section [token.hsm-x]")));
  EXPECT_THAT([&] { (void)add("hsm-a"); },
              ThrowsMessage<Error>("group \"front\": \"hsm-a\" is a member already"));
  EXPECT_THAT(
      [&] { (void)without_member(two, kFile, "front", "hsm-b"); },
      ThrowsMessage<Error>(AllOf(StartsWith("with these members the file would be refused: keystay.toml:"),
                                 HasSubstr("min-active: 2 is more than the group has members"))));
  EXPECT_THAT([&] { (void)without_member(two, kFile, "front", "hsm-c"); },
              ThrowsMessage<Error>("group \"front\": \"hsm-c\" is no member; they are hsm-a, hsm-b"));
  EXPECT_THAT([&] { (void)without_member(two, kFile, "back", "hsm-c"); },
              ThrowsMessage<Error>(HasSubstr("there is no section [group.back]")));
  const std::string one = with_tokens("[group.front]\nmembers = [\"hsm-a\"]");
  EXPECT_THAT([&] { (void)without_member(one, kFile, "front", "hsm-a"); },
              ThrowsMessage<Error>(HasSubstr("\"hsm-a\" is its last member")));
}

TEST(GroupMembers, AreEachOnceInAnOrder) {
  const std::string two = with_tokens("[group.front]\nmembers = [\"hsm-a\", \"hsm-b\"]");
  const auto order = [&](const std::vector<std::string>& members) {
    return [&two, members] { (void)with_order(two, kFile, "front", members); };
  };
  EXPECT_THAT(order({"hsm-a"}), ThrowsMessage<Error>(HasSubstr("the order lacks \"hsm-b\"")));
  EXPECT_THAT(order({"hsm-a", "hsm-b", "hsm-a"}), ThrowsMessage<Error>(HasSubstr("stands twice")));
  EXPECT_THAT(order({"hsm-a", "hsm-c"}), ThrowsMessage<Error>(HasSubstr("\"hsm-c\" is no member")));
}

TEST(GroupMembers, AreFoundInNoValueThatIsNoArray) {
  const std::string_view path[] = {"group", "front", "members"};
  EXPECT_FALSE(find_array("[group.front]\nmembers = \"a\"", path, kFile));
  EXPECT_FALSE(find_array("group = 1", path, kFile));
  EXPECT_FALSE(find_array("[group.front]", path, kFile));
  EXPECT_THROW((void)find_array("[", path, kFile), Error);
}

}  // namespace
}  // namespace keystay::config
