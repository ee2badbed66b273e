// [group.NAME]: what it means when nothing is said, and what a wrong one is answered with.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "native/config/configuration.h"
#include "native/config/error.h"

namespace keystay::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Lines 1 to 9.
constexpr std::string_view kTokens =
    "[token.a]\nmodule = \"/a.so\"\nlabel = \"web\"\n"
    "[token.b]\nmodule = \"/b.so\"\nlabel = \"web\"\n"
    "[token.c]\nmodule = \"/b.so\"\nserial = \"0c\"\n";

Configuration parse_group(std::string_view group) {
  return parse_configuration(std::string(kTokens) + std::string(group), "keystay.toml");
}

TEST(GroupSection, NeedsOnlyItsMembers) {
  const Configuration configuration = parse_group("[group.front]\nmembers = [\"b\", \"a\"]\n");
  const GroupSettings& group = configuration.groups.at("front");
  EXPECT_THAT(group.members, ElementsAre("b", "a"));
  EXPECT_EQ(group.min_active, 2U) << "all of them";
  EXPECT_EQ(group.balance, (BalanceWeights{1, 1}));
  EXPECT_EQ(group.same_zone, "");
  EXPECT_EQ(group.timeout, 5s);
  EXPECT_EQ(group.attempt_timeout, 2s);
  EXPECT_THAT(group.probe_pauses, ElementsAre(1s, 1s, 2s, 5s, 10s, 60s));
  EXPECT_EQ(group.check_interval, 10s);
  EXPECT_TRUE(group.leave_hung_calls);
  EXPECT_FALSE(group.verify);
  EXPECT_EQ(group.wrapping_key, "") << "keys cannot be made in it";
  EXPECT_EQ(group.wrapping_mechanism, std::nullopt);
  EXPECT_EQ(group.create_minimum, 2U) << "all of them";
  EXPECT_EQ(configuration.default_token, "") << "an alias could be meant on c, which is not in it";
}

TEST(GroupSection, OfAllTokensIsTheDefault) {
  EXPECT_EQ(parse_group("[group.front]\nmembers = [\"a\", \"b\", \"c\"]\n").default_token, "front");
  const std::string named =
      "default = \"front\"\n" + std::string(kTokens) + "[group.front]\nmembers = [\"a\"]\n";
  EXPECT_EQ(parse_configuration(named, "keystay.toml").default_token, "front");
}

TEST(GroupSection, TakesAllThatTheManualLists) {
  const Configuration configuration = parse_configuration(
      "zone = \"fra1\"\n"
      "[token.a]\nmodule = \"/a.so\"\nlabel = \"web\"\nzone = \"fra2\"\n"
      "[token.b]\nmodule = \"/b.so\"\nlabel = \"web\"\nzone = \"fra1\"\n"
      "[group.front]\nmembers = [\"a\", \"b\"]\nmin-active = 1\nbalance = { success = 2, idleness = 0 }\n"
      "prefer-same-zone = true\ntimeout = \"3s\"\nattempt-timeout = \"500ms\"\nprobe = [\"1s\", \"30s\"]\n"
      "check = \"1m\"\nhung-calls = \"wait\"\nverify = true\nwrapping-key = \"kek\"\ncreate-minimum = 1\n"
      "wrapping-mechanism = \"CKM_AES_KEY_WRAP_PAD\"\n",
      "keystay.toml");
  const GroupSettings& group = configuration.groups.at("front");
  EXPECT_EQ(group.min_active, 1U);
  EXPECT_EQ(group.balance, (BalanceWeights{2, 0}));
  EXPECT_EQ(group.same_zone, "fra1");
  EXPECT_EQ(group.timeout, 3s);
  EXPECT_EQ(group.attempt_timeout, 500ms);
  EXPECT_THAT(group.probe_pauses, ElementsAre(1s, 30s));
  EXPECT_EQ(group.check_interval, 1min);
  EXPECT_FALSE(group.leave_hung_calls);
  EXPECT_TRUE(group.verify);
  EXPECT_EQ(group.wrapping_key, "kek");
  EXPECT_EQ(group.wrapping_mechanism, 0x210AU);
  EXPECT_EQ(group.create_minimum, 1U);
  EXPECT_EQ(parse_group("[group.g]\nmembers = [\"a\"]\nwrapping-key = \"k\"\n"
                        "wrapping-mechanism = \"0x80000109\"\n")
                .groups.at("g")
                .wrapping_mechanism,
            0x80000109U);
  EXPECT_EQ(parse_group("[group.g]\nmembers = [\"a\"]\nbalance = \"priority\"\n").groups.at("g").balance,
            std::nullopt);
}

struct GroupCase {
  const char* name;
  const char* group;
  const char* message;  // behind "keystay.toml:"
};

void PrintTo(const GroupCase& value, std::ostream* stream) { *stream << value.name; }

class GroupError : public testing::TestWithParam<GroupCase> {};

TEST_P(GroupError, NamesFileLineKeyAndTheRemedy) {
  try {
    static_cast<void>(parse_group(GetParam().group));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "keystay.toml:" + std::string(GetParam().message));
  }
}

constexpr GroupCase kGroupCases[] = {
    {"WithoutMembers", "[group.g]\n", "10: group.g.members: missing; write members = [\"hsm-a\", \"hsm-b\"]"},
    {"NoMembers", "[group.g]\nmembers = []\n",
     "11: group.g.members: must not be empty; write members = [\"hsm-a\", \"hsm-b\"]"},
    {"UnknownMember", "[group.g]\nmembers = [\"a\", \"d\"]\n",
     "11: group.g.members: there is no section [token.d]; did you mean \"a\", \"b\", \"c\"?"},
    {"GroupAsMember", "[group.f]\nmembers = [\"a\"]\n[group.g]\nmembers = [\"f\"]\n",
     "13: group.g.members: \"f\" is a group, and members are tokens; write its members instead"},
    {"MemberTwice", "[group.g]\nmembers = [\"a\", \"b\", \"a\"]\n",
     "11: group.g.members: \"a\" stands there twice; name each token once"},
    {"MoreActiveThanMembers", "[group.g]\nmembers = [\"a\", \"b\"]\nmin-active = 3\n",
     "12: group.g.min-active: 3 is more than the group has members; write at most 2, or leave the key out "
     "for all"},
    {"NamedLikeAToken", "[group.a]\nmembers = [\"a\", \"b\"]\n",
     "10: group.a: there is a [token.a] too, and an alias \"a/…\" could mean either; give the group another "
     "name"},
    {"NameWithSlash", "[group.\"g/h\"]\nmembers = [\"a\"]\n",
     "10: group.\"g/h\": a group's name consists of letters, digits, \"-\", \"_\" and \".\""},
    {"Misspelt", "[group.g]\nmembers = [\"a\"]\nmin_active = 1\n",
     "12: group.g.min_active: unknown key; did you mean \"min-active\"?"},
    {"Balance", "[group.g]\nmembers = [\"a\"]\nbalance = \"random\"\n",
     "12: group.g.balance: expected \"priority\" or { success = 1, idleness = 1 }, got \"random\""},
    {"BalanceOfNothing", "[group.g]\nmembers = [\"a\"]\nbalance = { success = 0 }\n",
     "12: group.g.balance: one of the two weights must be above 0; or write balance = \"priority\""},
    {"NoZone", "[group.g]\nmembers = [\"a\"]\nprefer-same-zone = true\n",
     "12: group.g.prefer-same-zone: the zone of this machine is not known; write zone = \"…\" at the top of "
     "the file"},
    {"Attempt", "[group.g]\nmembers = [\"a\"]\ntimeout = \"1s\"\nattempt-timeout = \"1s\"\n",
     "13: group.g.attempt-timeout: expected less than timeout (1s), so that another member can still be "
     "asked, got "
     "\"1s\""},
    {"Probe", "[group.g]\nmembers = [\"a\"]\nprobe = [\"1s\", \"soon\"]\n",
     "12: group.g.probe: expected durations from \"100ms\" to \"1h\", as in [\"1s\", \"5s\", \"60s\"], got "
     "\"soon\""},
    {"HungCalls", "[group.g]\nmembers = [\"a\"]\nhung-calls = \"kill\"\n",
     "12: group.g.hung-calls: expected \"leave\" or \"wait\", got \"kill\""},
    {"WrappingMechanism",
     "[group.g]\nmembers = [\"a\"]\nwrapping-key = \"k\"\nwrapping-mechanism = \"KWP\"\n",
     "13: group.g.wrapping-mechanism: expected \"CKM_AES_KEY_WRAP_KWP\", \"CKM_AES_KEY_WRAP_PAD\", or a "
     "vendor's number as \"0x80000109\", got \"KWP\""},
    {"WrappingMechanismAlone", "[group.g]\nmembers = [\"a\"]\nwrapping-mechanism = \"0x210a\"\n",
     "12: group.g.wrapping-mechanism: needs wrapping-key = \"…\", under which new keys go to the members"},
    {"CreateMinimum", "[group.g]\nmembers = [\"a\"]\nwrapping-key = \"k\"\ncreate-minimum = 2\n",
     "13: group.g.create-minimum: 2 is more than the group has members; write at most 1, or leave the key "
     "out for all"},
    {"EmptyWrappingKey", "[group.g]\nmembers = [\"a\"]\nwrapping-key = \"\"\n",
     "12: group.g.wrapping-key: must not be empty; write the label that the key is to have"},
};
INSTANTIATE_TEST_SUITE_P(Case, GroupError, testing::ValuesIn(kGroupCases),
                         [](const auto& param) { return param.param.name; });

TEST(GroupError, TwoMembersThatAreOneToken) {
  const auto error = [](const std::string& toml) {
    try {
      static_cast<void>(parse_configuration(toml + "[group.g]\nmembers = [\"a\", \"b\"]\n", "k.toml"));
    } catch (const Error& fault) {
      return std::string(fault.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(
      error("[token.a]\nmodule = \"/a.so\"\nserial = \"7\"\n[token.b]\nmodule = \"/b.so\"\nserial = \"7\"\n"),
      "k.toml:8: group.g.members: \"a\" and \"b\" are the same token by serial \"7\"; name it once, or give "
      "each its own serial");
  EXPECT_EQ(
      error("[token.a]\nmodule = \"/a.so\"\nlabel = \"w\"\n[token.b]\nmodule = \"/a.so\"\nlabel = \"w\"\n"),
      "k.toml:8: group.g.members: \"a\" and \"b\" are the same token by module and label \"w\"; name it "
      "once, "
      "or give each its own serial");
}

TEST(GroupError, ZoneOfNoMember) {
  try {
    static_cast<void>(
        parse_configuration("zone = \"fra3\"\n[token.a]\nmodule = \"/a.so\"\nlabel = \"w\"\nzone = \"fra1\"\n"
                            "[group.g]\nmembers = [\"a\"]\nprefer-same-zone = true\n",
                            "k.toml"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "k.toml:8: group.g.prefer-same-zone: no member is in the zone \"fra3\" of this machine; theirs "
        "are \"fra1\"");
  }
}

}  // namespace
}  // namespace keystay::config
