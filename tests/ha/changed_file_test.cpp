// keystay.toml is changed while its group is used: the keys that are loaded are served by the members that it
// names then, and no operation fails.
#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kEnough = 20;  // signatures that tell that a member is used

class ChangedFile : public GroupTest {
 protected:
  [[nodiscard]] std::vector<std::string> members() {
    std::vector<std::string> names;
    const std::vector<GroupStatus> states = group_states(*tokens_);
    for (const MemberStatus& member : states.front().members) names.push_back(member.name);
    return names;
  }
  [[nodiscard]] bool wait_for_members(const std::vector<std::string>& names) {
    return wait_for([&] { return members() == names; });
  }
  // Whether it signs for the load, from now on.
  [[nodiscard]] bool takes_part(std::size_t member) {
    const std::uint64_t before = signatures(member);
    return wait_for([&] { return signatures(member) > before + kEnough; });
  }
  [[nodiscard]] bool has_notice(const std::string& part) {
    for (const std::string& notice : notices())
      if (notice.find(part) != std::string::npos) return true;
    return false;
  }
  // Two looks at the file and one more: what has not come by then does not come.
  static void let_looks_pass() { std::this_thread::sleep_for(3500ms); }
};

TEST_F(ChangedFile, AddsRemovesAndReordersMembersUnderLoad) {
  use_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(takes_part(0));
                             change_file("[\"hsm-a\", \"hsm-b\", \"hsm-c\"]\nprobe = [\"100ms\"]\n");
                             EXPECT_TRUE(takes_part(2)) << "with the key that was loaded before";
                             EXPECT_EQ(group()->capacity(), 24U) << "so many threads may sign for jobs";
                             const std::uint64_t of_b = status(1).succeeded;
                             EXPECT_GT(of_b, 0U) << "who stays keeps its counts";

                             change_file("[\"hsm-c\", \"hsm-b\"]\nprobe = [\"100ms\"]\n");
                             EXPECT_TRUE(wait_for_members({"hsm-c", "hsm-b"}));
                             EXPECT_GE(status(1).succeeded, of_b);
                             EXPECT_TRUE(takes_part(1));
                             const std::uint64_t left = signatures(0);
                             EXPECT_TRUE(takes_part(2));
                             EXPECT_EQ(signatures(0), left) << "who is no member is left alone";

                             change_file("[\"hsm-b\", \"hsm-c\"]\nmin-active = 1\nprobe = [\"100ms\"]\n");
                             EXPECT_TRUE(wait_for_members({"hsm-b", "hsm-c"}));
                             EXPECT_TRUE(takes_part(1));
                             const std::uint64_t before = signatures(2);
                             EXPECT_TRUE(takes_part(1));
                             EXPECT_LE(signatures(2), before + 4) << "it stands by; what it was at may end";
                           }),
            0U);
  EXPECT_THAT(notices(),
              Contains(AllOf(HasSubstr("group \"front\" is from now on as " + file().string()),
                             HasSubstr("members \"hsm-a\", \"hsm-b\", \"hsm-c\"; new: \"hsm-c\""))));
  EXPECT_THAT(notices(), Contains(HasSubstr("members \"hsm-c\", \"hsm-b\"; removed: \"hsm-a\"")));
  EXPECT_THAT(notices(), Contains(HasSubstr("member \"hsm-c\" is in service")));
  EXPECT_THAT(notices(), Each(Not(HasSubstr("out of service"))));
}

TEST_F(ChangedFile, ReplacesAllMembersAtOnce) {
  const std::string unhurried = "timeout = \"60s\"\nattempt-timeout = \"20s\"\n";  // it opens two modules
  use_file("[\"hsm-a\"]\n" + unhurried);
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(takes_part(0));
                             change_file("[\"hsm-b\", \"hsm-c\"]\n" + unhurried);
                             EXPECT_TRUE(takes_part(1));
                             EXPECT_TRUE(takes_part(2));
                           }),
            0U);
}

TEST_F(ChangedFile, TakesOtherSettingsAndKeepsTheHealthOfMembers) {
  use_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"1h\"]\n");
  const keys::PrivateKey httpd = key();
  faults(0).remove_token();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(signs(httpd));
  EXPECT_TRUE(wait_for_service(0, Service::out));
  const std::uint64_t of_b = status(1).succeeded;
  faults(0).return_token();
  change_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"2h\"]\n");
  EXPECT_TRUE(wait_for([&] { return has_notice("cannot be used: " + file().string()); })) << "2h is too long";
  EXPECT_EQ(status(0).service, Service::out);
  change_file("[\"hsm-a\", \"hsm-b\"]\nverify = true\ntimeout = \"7s\"\nprobe = [\"100ms\"]\n");
  EXPECT_TRUE(wait_for_service(0, Service::in)) << "it is probed by the new pauses";
  EXPECT_TRUE(has_notice("member \"hsm-a\" is back in service"));
  EXPECT_GE(status(1).succeeded, of_b);
  EXPECT_EQ(group()->timeout(), 7s);
  faults(1).sign_wrongly();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(signs(httpd)) << "verified from now on";
  EXPECT_TRUE(has_notice("member \"hsm-b\" is out of service"));
}

TEST_F(ChangedFile, AMemberThatIsAwayGetsNoWorkUntilItAnswers) {
  use_file("[\"hsm-a\"]\nprobe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  faults(1).remove_token();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(takes_part(0));
                             change_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"100ms\"]\n");
                             EXPECT_TRUE(
                                 wait_for([&] { return has_notice("member \"hsm-b\" is out of service"); }));
                             EXPECT_EQ(signatures(1), 0U);
                             EXPECT_EQ(status(0).replayed, 0U) << "no operation was tried there";
                             faults(1).return_token();
                             EXPECT_TRUE(takes_part(1));
                           }),
            0U);
}

TEST_F(ChangedFile, AMemberThatHangsAndIsRemovedHoldsNobodyUp) {
  use_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"100ms\"]\ntimeout = \"2s\"\nattempt-timeout = \"300ms\"\n");
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(takes_part(1));
                             faults(1).hold(Function::C_Sign);
                             EXPECT_TRUE(wait_for_service(1, Service::out));
                             change_file("[\"hsm-a\", \"hsm-c\"]\nprobe = [\"100ms\"]\n");
                             EXPECT_TRUE(takes_part(2));
                             let_looks_pass();  // the one that hangs is let go of meanwhile
                             EXPECT_TRUE(takes_part(2));
                           }),
            0U);
  faults(1).release(Function::C_Sign);
}

TEST_F(ChangedFile, AnotherKeyOnANewMemberIsNotUsed) {
  use_file("[\"hsm-a\"]\n");
  const keys::PrivateKey httpd = key();
  store_of(1).destroy(*store_of(1).find("httpd"));
  keys::KeyRequest request{keys::key_spec("EC", 256, ""), keys::KeyUse::sign};
  request.id = httpd.reference().id();
  store_of(1).generate("httpd", request);
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             change_file("[\"hsm-a\", \"hsm-b\", \"hsm-c\"]\n");
                             EXPECT_TRUE(takes_part(2));
                             EXPECT_TRUE(wait_for([&] { return !status(1).lacking.empty(); }));
                           }),
            0U)
      << "the key was loaded while one token had it, and proved nothing";
  EXPECT_EQ(status(1).succeeded, 0U);
}

TEST_F(ChangedFile, AMemberWithoutAMechanismThatIsInUseStaysOut) {
  use_file("[\"hsm-a\"]\nprobe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  EXPECT_TRUE(group()->operations()->supports(pkcs11::Sign{pkcs11::Ecdsa{}}));
  faults(1).fail(Function::C_GetMechanismInfo, CKR_MECHANISM_INVALID, kEveryCall);
  change_file("[\"hsm-a\", \"hsm-b\"]\nprobe = [\"100ms\"]\n");
  ASSERT_TRUE(signs(httpd));
  EXPECT_TRUE(wait_for([&] { return has_notice("does not support CKM_ECDSA"); }));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(signs(httpd));
  EXPECT_EQ(signatures(1), 0U);
}

TEST_F(ChangedFile, OneThatCannotBeUsedIsToldOfOnceAndChangesNothing) {
  use_file("[\"hsm-a\", \"hsm-b\"]\n");
  const keys::PrivateKey httpd = key();
  const auto told_of = [&](const std::string& members, const std::string& what) {
    const std::size_t before = notices().size();
    change_file(members);
    EXPECT_TRUE(wait_for([&] { return notices().size() > before; })) << members;
    ASSERT_EQ(notices().size(), before + 1) << members;
    EXPECT_THAT(notices().back(),
                AllOf(HasSubstr("group \"front\" stays as it is, since a changed file cannot "
                                "be used: " +
                                file().string()),
                      HasSubstr(what)));
    EXPECT_THAT(this->members(), ElementsAre("hsm-a", "hsm-b"));
    EXPECT_TRUE(signs(httpd));
  };
  ASSERT_TRUE(signs(httpd));
  told_of("[\"hsm-a\", \"hsm-b\"\n", "keystay.toml:");
  let_looks_pass();
  EXPECT_EQ(notices().size(), 1U) << "once for each change of the file";
  told_of("[\"hsm-a\", \"hsm-d\"]\n", "there is no section [token.hsm-d]");
  told_of("[\"hsm-a\", \"hsm-b\"]\nmin-active = 3\n", "group.front.min-active");
  told_of("[\"hsm-a\"]\n[group.back]\nmembers = [\"hsm-d\"]\n", "group.back.members");
  const std::size_t before = notices().size();
  std::filesystem::remove(file());
  EXPECT_TRUE(wait_for([&] { return notices().size() > before; }));
  EXPECT_THAT(notices().back(), HasSubstr("No such file or directory; put it back, or restart the server"));
  change_file("[\"hsm-b\", \"hsm-c\"]\n");
  EXPECT_TRUE(wait_for_members({"hsm-b", "hsm-c"})) << "a right one is taken after a wrong one";
}

TEST_F(ChangedFile, ThatIsOnlyTouchedOrChangedElsewhereChangesNothing) {
  use_file("[\"hsm-a\", \"hsm-b\"]\n");
  const keys::PrivateKey httpd = key();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(signs(httpd));
  reset_counts();
  change_file("[\"hsm-a\", \"hsm-b\"]\n[group.back]\nmembers = [\"hsm-c\"]\n");
  let_looks_pass();
  EXPECT_THAT(notices(), IsEmpty());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(signs(httpd));
  EXPECT_EQ(faults(0).calls(Function::C_OpenSession), 0U) << "its sessions are those of before";
}

TEST_F(ChangedFile, EachForkedProcessNoticesByItself) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has no threads in a child of a process with threads";
#endif
  use_file("[\"hsm-a\"]\n");
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  change_file("[\"hsm-a\", \"hsm-b\"]\n");
  EXPECT_TRUE(wait_for_members({"hsm-a", "hsm-b"}));
  EXPECT_TRUE(test::true_in_child([&] {
    bool good = signs(httpd) && members() == std::vector<std::string>{"hsm-a", "hsm-b"};
    change_file("[\"hsm-b\", \"hsm-c\"]\n");
    good = wait_for_members({"hsm-b", "hsm-c"}) && good;
    const std::uint64_t before = signatures(2);
    return wait_for([&] { return signs(httpd) && signatures(2) > before; }) && good;
  }));
  EXPECT_TRUE(wait_for_members({"hsm-b", "hsm-c"}));
  EXPECT_TRUE(signs(httpd));
}

// The users of a server's workers: the file was for its master only.
TEST_F(ChangedFile, OneThatThisUserMayNotReadIsToldOf) {
  change_file("[\"hsm-a\"]\n");
  std::vector<std::string> told;
  FollowedFile followed(
      "front", config::read_configuration, {}, [&](const std::string& sentence) { told.push_back(sentence); },
      *key_sources(config::read_configuration(file()), {}));
  const GroupMakeup known = makeup_of("front", *key_sources(config::read_configuration(file()), {}));
  change_file("[\"hsm-a\", \"hsm-b\"]\n");
  std::filesystem::permissions(file(), std::filesystem::perms::none);
  std::filesystem::permissions(hsm_.directory().path(), std::filesystem::perms::all);
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_FALSE(followed.look(known, FollowedFile::Patience::none));
  EXPECT_FALSE(followed.look(known, FollowedFile::Patience::none));
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], AllOf(HasSubstr(file().string() + ": Permission denied for the user with the ID "),
                             HasSubstr("let a group of this user read it")));
}

TEST_F(ChangedFile, IsNotReadWhileItIsWritten) {
  change_file("[\"hsm-a\"]\n");
  FollowedFile followed(
      "front", config::read_configuration, {}, [](const std::string&) {},
      *key_sources(config::read_configuration(file()), {}));
  const GroupMakeup known = makeup_of("front", *key_sources(config::read_configuration(file()), {}));
  for (int i = 0; i < 3; ++i) {
    std::ofstream(file(), std::ios::app) << "# more\n";
    EXPECT_FALSE(followed.look(known, FollowedFile::Patience::usual));
  }
  change_file("[\"hsm-a\", \"hsm-b\"]\n");
  EXPECT_FALSE(followed.look(known, FollowedFile::Patience::usual));
  EXPECT_TRUE(followed.look(known, FollowedFile::Patience::usual));
}

}  // namespace
}  // namespace keystay::ha
