// A group in quiet times: how it shares the work, and that it looks like one token.
#include <thread>

#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::HasSubstr;

class Group : public GroupTest {
 protected:
  // On four threads, until each has signed so often.
  void sign(const keys::PrivateKey& key, int times) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < times; ++k) EXPECT_TRUE(signs(key));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(Group, SharesTheWorkAmongTheActiveMembers) {
  use_group("min-active = 2\n");
  const keys::PrivateKey httpd = key();
  sign(httpd, 50);
  EXPECT_EQ(operations(0) + operations(1), 200U);
  EXPECT_GT(operations(0), 50U);
  EXPECT_GT(operations(1), 50U);
  EXPECT_EQ(operations(2), 0U) << "it stands by";
}

TEST_F(Group, GivesASlowMemberLess) {
  use_group("min-active = 2\n");
  const keys::PrivateKey httpd = key();
  faults(0).delay(Function::C_Sign, 20ms);
  faults(1).delay(Function::C_Sign, 2ms);
  sign(httpd, 50);
  EXPECT_GT(operations(1), 2 * operations(0)) << operations(0) << " and " << operations(1);
  EXPECT_GT(operations(0), 0U);
}

TEST_F(Group, ByPriorityUsesTheFirstThatIsInService) {
  use_group("balance = \"priority\"\nprobe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  sign(httpd, 10);
  EXPECT_EQ(operations(0), 40U);
  faults(0).remove_token();
  sign(httpd, 10);
  EXPECT_EQ(operations(1), 40U) << "one attempt at the first one fails before C_Sign";
  EXPECT_EQ(operations(2), 0U);
}

TEST_F(Group, PrefersTheMembersOfItsZone) {
  set_lines(0, "zone = \"there\"\n");
  set_lines(1, "zone = \"here\"\n");
  set_lines(2, "zone = \"there\"\n");
  use_group("prefer-same-zone = true\nprobe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  sign(httpd, 10);
  EXPECT_EQ(operations(1), 40U);
  faults(1).remove_token();
  reset_counts();
  sign(httpd, 10);
  EXPECT_EQ(operations(0) + operations(2), 40U);
}

TEST_F(Group, OfOneCostsNoCallMoreThanItsToken) {
  use_members("[\"hsm-a\"]\n");
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  faults(0).reset_calls();
  EXPECT_TRUE(signs(httpd));
  EXPECT_EQ(faults(0).calls(), 2U) << "C_SignInit and C_Sign";
}

TEST_F(Group, OfSeveralCostsNoCallMoreEither) {
  const keys::PrivateKey httpd = key();
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(signs(httpd));
  reset_counts();
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(signs(httpd));
  EXPECT_EQ(faults(0).calls() + faults(1).calls() + faults(2).calls(), 18U) << "C_SignInit and C_Sign";
}

TEST_F(Group, IsNamedWhereATokenIs) {
  EXPECT_EQ(group()->name(), "group \"front\"");
  EXPECT_EQ(tokens_->locate("front/httpd").source, group());
  EXPECT_EQ(tokens_->locate("keystay:front/httpd").source, group());
  EXPECT_EQ(tokens_->locate("httpd").source, group()) << "a group of all tokens is the default";
  EXPECT_EQ(tokens_->locate("pkcs11:token=front;object=httpd").source, group());
  EXPECT_EQ(tokens_->locate("pkcs11:object=httpd").source, group());
  EXPECT_EQ(tokens_->locate("pkcs11:token=hsm-b;object=httpd").source, tokens_->source("hsm-b"));
  EXPECT_EQ(group()->info().label, "front");
  EXPECT_EQ(group()->capacity(), 24U);
  EXPECT_EQ(group()->timeout(), 5s);
  EXPECT_EQ(group()->pin_supply(), keys::PinSupply::configured);
  EXPECT_TRUE(group()->wants_pin());
}

TEST_F(Group, ReadsFromOneMemberAndLooksOnTheOthersForWhatThatOneLacks) {
  keys::KeyStore store(group(), pkix_);
  EXPECT_EQ(store.entries().size(), 1U);
  ASSERT_TRUE(store.find("httpd"));
  EXPECT_FALSE(store.find("nobody"));
  store_of(2).generate("only-c", {keys::key_spec("EC", 256, ""), keys::KeyUse::sign});
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(store.find("only-c")) << "whichever member is asked first";
  std::array<std::uint8_t, 8> random{};
  group()->generate_random(random);
  EXPECT_NE(random, (std::array<std::uint8_t, 8>{}));
}

TEST_F(Group, IsReadThoughMembersAreAway) {
  use_group("attempt-timeout = \"500ms\"\n");
  faults(0).remove_token();
  faults(1).hold(Function::C_GetSlotList);
  faults(1).hold(Function::C_Initialize);
  keys::KeyStore store(group(), pkix_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store.entries().size(), 1U);
  faults(1).release(Function::C_GetSlotList);
  faults(1).release(Function::C_Initialize);
}

TEST_F(Group, DoesNotCallAbsentWhatAMemberThatIsAwayMayHave) {
  use_group("probe = [\"100ms\"]\n");
  store_of(2).generate("only-c", {keys::key_spec("EC", 256, ""), keys::KeyUse::sign});
  keys::KeyStore store(group(), pkix_);
  faults(2).remove_token();
  for (int i = 0; i < 3; ++i) {
    const auto error = error_of([&] { (void)store.find("only-c"); });
    ASSERT_TRUE(error) << "it is on the member that is away";
    EXPECT_THAT(error->what(), AllOf(HasSubstr("hsm-a: it is not there"), HasSubstr("hsm-c")));
  }
  EXPECT_TRUE(store.find("httpd")) << "what another one has is found";
  faults(2).return_token();
  EXPECT_TRUE(wait_for_service(2, Service::in));
  EXPECT_TRUE(store.find("only-c"));
}

TEST_F(Group, LeavesWhatCannotBeUsedToWhoeverNamesTheMember) {
  keys::KeyStore store(group(), pkix_);
  const auto error = error_of([&] { store.destroy(keys::UnreadableObject{CKO_PRIVATE_KEY, "odd", {}, ""}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("group \"front\""), HasSubstr("hsm-a, hsm-b, hsm-c")));
}

TEST_F(Group, WithTheSameSettingsStaysWhatItIsWhenTheFileIsReadAgain) {
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  const auto before = group();
  const auto same = key_sources(tokens_->configuration(), {}, {}, tokens_.get());
  EXPECT_EQ(same->source("front"), before);
  config::Configuration smaller = tokens_->configuration();
  smaller.groups.at("front").members.pop_back();
  const auto changed = key_sources(smaller, {}, {}, tokens_.get());
  EXPECT_NE(changed->source("front"), before);
  EXPECT_EQ(changed->source("hsm-a"), tokens_->source("hsm-a")) << "with its sessions";
}

TEST_F(Group, ThatWasNeverUsedCallsNoModule) {
  use_group();
  reset_counts();
  EXPECT_EQ(group_states(*tokens_).front().members.size(), kMembers);
  EXPECT_EQ(faults(0).calls() + faults(1).calls() + faults(2).calls(), 0U);
}

}  // namespace
}  // namespace keystay::ha
