// A member whose signatures are wrong.
#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using testing::HasSubstr;

class VerifyTest : public GroupTest {
 protected:
  VerifyTest() { use_group("verify = true\nprobe = [\"100ms\"]\n"); }

  // The key, which each member has signed with and so has proved that it has.
  keys::PrivateKey key_in_use() {
    keys::PrivateKey httpd = key();
    reset_counts();
    EXPECT_TRUE(wait_for(
        [&] { return signs(httpd) && signatures(0) > 1 && signatures(1) > 1 && signatures(2) > 1; }));
    return httpd;
  }
};

TEST_F(VerifyTest, NoWrongSignatureIsGivenOut) {
  const keys::PrivateKey httpd = key_in_use();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             faults(1).sign_wrongly();
                             EXPECT_TRUE(wait_for_service(1, Service::out));
                             faults(1).sign_wrongly(false);
                             EXPECT_TRUE(wait_for_service(1, Service::in));
                           }),
            0U);
  ASSERT_FALSE(notices().empty());
  EXPECT_THAT(notices().front(),
              HasSubstr("member \"hsm-b\" is out of service: token \"hsm-b\" has made a wrong "
                        "signature with alias \"httpd\""));
}

TEST_F(VerifyTest, ProbesVerifyToo) {
  const keys::PrivateKey httpd = key_in_use();
  faults(1).sign_wrongly();
  EXPECT_EQ(failures_while(httpd, [&] { EXPECT_TRUE(wait_for_service(1, Service::out)); }), 0U);
  reset_counts();
  EXPECT_TRUE(wait_for([&] { return signatures(1) >= 3; })) << "it is probed with the operation that failed";
  EXPECT_EQ(status(1).service, Service::out);
}

TEST_F(VerifyTest, OfAllMembersWrongSignaturesAreAnError) {
  const keys::PrivateKey httpd = key_in_use();
  for (std::size_t i = 0; i < kMembers; ++i) faults(i).sign_wrongly();
  const auto error = error_of([&] { static_cast<void>(signs(httpd)); });
  ASSERT_TRUE(error);
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_THAT(error->what(), HasSubstr(name(i)));
  EXPECT_THAT(error->what(), HasSubstr("wrong signature"));
}

TEST_F(VerifyTest, WithoutItTheyAreGivenOut) {
  use_group();
  const keys::PrivateKey httpd = key_in_use();
  for (std::size_t i = 0; i < kMembers; ++i) faults(i).sign_wrongly();
  EXPECT_FALSE(signs(httpd)) << "which whoever asked must find out";
}

}  // namespace
}  // namespace keystay::ha
