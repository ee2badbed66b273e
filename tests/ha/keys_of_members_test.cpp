// One alias on several tokens: a member that lacks the key, or has another one in its place, is not used for
// it.
#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class KeysOfMembers : public GroupTest {
 protected:
  KeysOfMembers() { use_group("probe = [\"100ms\"]\n"); }

  void destroy_on(std::size_t member) {
    keys::KeyStore store = store_of(member);
    store.destroy(*store.find("httpd"));
  }
};

TEST_F(KeysOfMembers, OneThatLacksTheKeyIsNamedOnceAndServesTheOthers) {
  keys::KeyStore(tokens_->source("hsm-b"), pkix_)
      .generate("mail", {keys::key_spec("EC", 256, ""), keys::KeyUse::sign});
  destroy_on(1);
  const keys::PrivateKey httpd = key();
  reset_counts();
  EXPECT_EQ(
      failures_while(
          httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U);
  EXPECT_EQ(signatures(1), 0U);
  EXPECT_EQ(status(1).service, Service::in);
  EXPECT_THAT(status(1).lacking, ElementsAre("alias \"httpd\""));
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], AllOf(HasSubstr("group \"front\": member \"hsm-b\" cannot use alias \"httpd\": "),
                                  HasSubstr("no such private key on the token")));
}

TEST_F(KeysOfMembers, AnotherKeyInItsPlaceIsNeverUsed) {
  // The same label and the same CKA_ID, and another key.
  const Bytes id = key().reference().id();
  destroy_on(1);
  keys::KeyRequest request{keys::key_spec("EC", 256, ""), keys::KeyUse::sign};
  request.id = id;
  store_of(1).generate("httpd", request);
  const keys::PrivateKey httpd = keys::KeyStore(tokens_->source("hsm-a"), pkix_).find("httpd")->key;
  const keys::PrivateKey of_group(group()->operations(), httpd.reference());
  reset_counts();
  EXPECT_EQ(
      failures_while(
          of_group, [&] { EXPECT_TRUE(wait_for([&] { return signatures(0) > 20 && signatures(2) > 20; })); }),
      0U)
      << "each signature was verified with the public key of the alias";
  EXPECT_EQ(signatures(1), 0U);
  ASSERT_EQ(notices().size(), 1U);
  EXPECT_THAT(notices()[0], HasSubstr("another one than the one that was loaded"));
}

TEST_F(KeysOfMembers, WhatNobodyHasIsOneMessageOfAll) {
  const keys::PrivateKey httpd = key();
  for (std::size_t i = 0; i < kMembers; ++i) destroy_on(i);
  std::optional<Error> error;
  EXPECT_TRUE(wait_for([&] {
    error = error_of([&] { (void)signs(httpd); });
    return error && error->error_class() == ErrorClass::client;
  }));
  EXPECT_THAT(error->what(),
              AllOf(HasSubstr("alias \"httpd\" on group \"front\""), HasSubstr("hsm-a: "),
                    HasSubstr("hsm-b: "), HasSubstr("hsm-c: "), HasSubstr("no such private key")));
}

TEST_F(KeysOfMembers, AMemberThatGetsTheKeyLaterIsUsedThen) {
  destroy_on(1);
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(wait_for([&] { return !status(1).lacking.empty(); })); }),
            0U);
  import_key_into(1);
  reset_counts();
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(wait_for([&] { return signatures(1) > 0; })); }), 0U);
  EXPECT_THAT(status(1).lacking, ElementsAre());
}

}  // namespace
}  // namespace keystay::ha
