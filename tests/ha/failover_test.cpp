// What a group makes of each way in which a member can fail: the caller is served by another one.
#include <filesystem>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class Failover : public GroupTest {
 protected:
  // Two that share the work, one that stands by; probes that a test can wait for.
  Failover() {
    use_group("min-active = 2\nprobe = [\"100ms\"]\ntimeout = \"5s\"\nattempt-timeout = \"500ms\"\n");
  }
};

struct SickAnswer {
  const char* name;
  CK_RV code;
};

class SickMember : public Failover, public testing::WithParamInterface<SickAnswer> {};

TEST_P(SickMember, IsTakenOutAtOnceAndComesBackByItself) {
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_EQ(failures_while(
                httpd,
                [&] {
                  faults(0).fail(Function::C_Sign, GetParam().code, kEveryCall);
                  EXPECT_TRUE(wait_for_service(0, Service::out));
                  EXPECT_TRUE(wait_for([&] { return signatures(2) > 0; }))
                      << "the one that stands by takes part";
                  EXPECT_FALSE(status(0).active);
                  EXPECT_TRUE(status(2).active);
                  std::this_thread::sleep_for(300ms);  // that nothing happens has no event: time for probes
                  EXPECT_EQ(status(0).service, Service::out);
                  faults(0).fail(Function::C_Sign, CKR_OK, 0);
                  EXPECT_TRUE(wait_for_service(0, Service::in));
                  EXPECT_TRUE(wait_for([&] { return status(0).active && !status(2).active; }));
                  const std::uint64_t before = signatures(2);
                  std::this_thread::sleep_for(100ms);  // that nothing happens has no event
                  EXPECT_LE(signatures(2), before + 4) << "it stands by again; what it was at may still end";
                }),
            0U);
  ASSERT_EQ(notices().size(), 2U);
  EXPECT_THAT(notices()[0],
              AllOf(HasSubstr("group \"front\": member \"hsm-a\" is out of service: "),
                    HasSubstr(pkcs11::describe(GetParam().code)), HasSubstr("asked again in 100ms")));
  EXPECT_THAT(notices()[1], HasSubstr("group \"front\": member \"hsm-a\" is back in service after "));
  EXPECT_GT(status(0).failed[static_cast<std::size_t>(ErrorClass::server)], 0U);
  EXPECT_GT(status(0).replayed, 0U);
  EXPECT_GT(status(0).out_of_service, 0ms);
}

constexpr SickAnswer kSickAnswers[] = {{"DeviceError", CKR_DEVICE_ERROR},
                                       {"DeviceRemoved", CKR_DEVICE_REMOVED},
                                       {"FunctionFailed", CKR_FUNCTION_FAILED},
                                       {"GeneralError", CKR_GENERAL_ERROR},
                                       {"Vendor", CKR_VENDOR_DEFINED + 7}};
INSTANTIATE_TEST_SUITE_P(Code, SickMember, testing::ValuesIn(kSickAnswers),
                         [](const auto& param) { return param.param.name; });

TEST_F(Failover, AHangCostsOneAttemptAndLeavesItsThread) {
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             faults(0).hold(Function::C_Sign);
                             EXPECT_TRUE(wait_for_service(0, Service::out));
                             EXPECT_TRUE(wait_for([&] { return status(0).left_calls > 0; }));
                             std::this_thread::sleep_for(300ms);  // for the load to run on
                             EXPECT_LE(faults(0).inside(Function::C_Sign), 4 + 1)
                                 << "nobody has gone there since but one probe, which hangs as well";
                             faults(0).release(Function::C_Sign);
                             EXPECT_TRUE(wait_for_service(0, Service::in));
                           }),
            0U);
  EXPECT_TRUE(wait_for([&] { return status(0).left_calls == 0; }));
  EXPECT_THAT(notices().front(), HasSubstr("did not answer within the time of one attempt"));
}

TEST_F(Failover, LostSessionsAreRepairedWithoutANotice) {
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             for (int i = 0; i < 5; ++i) {
                               faults(0).drop_sessions();
                               std::this_thread::sleep_for(50ms);  // for the load to run into it
                             }
                             faults(1).forget_initialize();
                             std::this_thread::sleep_for(50ms);  // for the load to run into it
                           }),
            0U);
  EXPECT_TRUE(wait_for_service(0, Service::in));
  EXPECT_TRUE(wait_for_service(1, Service::in));
  EXPECT_THAT(notices(), ElementsAre());
}

// With one thread, as in nginx: each attempt finds its sessions lost before any repair is through.
TEST_F(Failover, AllSessionsLostAtOnceFailNothing) {
  const keys::PrivateKey httpd = key();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(signs(httpd));
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < kMembers; ++i) faults(i).drop_sessions();
    EXPECT_TRUE(signs(httpd));
  }
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < kMembers; ++i) faults(i).forget_initialize();
    EXPECT_TRUE(signs(httpd));
  }
}

TEST_F(Failover, WhatIsTheRequestsFaultCostsNobodyItsHealth) {
  const keys::PrivateKey httpd = key();
  for (std::size_t i = 0; i < 2 * kMembers; ++i) ASSERT_TRUE(signs(httpd));  // each has proved the key
  for (std::size_t i = 0; i < kMembers; ++i) faults(i).fail(Function::C_Sign, CKR_DATA_LEN_RANGE, kEveryCall);
  reset_counts();
  const auto error = error_of([&] { (void)signs(httpd); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DATA_LEN_RANGE);
  EXPECT_EQ(error->error_class(), ErrorClass::client);
  EXPECT_EQ(signatures(0) + signatures(1) + signatures(2), 1U) << "it is not tried elsewhere";
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_EQ(status(i).service, Service::in);
  EXPECT_THAT(notices(), ElementsAre());
}

TEST_F(Failover, ABusyMemberStaysInService) {
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             faults(0).fail(Function::C_Sign, CKR_DEVICE_MEMORY, kEveryCall);
                             EXPECT_TRUE(wait_for([&] { return status(0).replayed > 10; }));
                             EXPECT_EQ(status(0).service, Service::in);
                             faults(0).fail(Function::C_Sign, CKR_OK, 0);
                           }),
            0U);
  EXPECT_THAT(notices(), ElementsAre());
}

TEST_F(Failover, AMemberThatIsAwayAtTheStartIsFoundLater) {
  faults(0).remove_token();
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(wait_for_service(0, Service::out));
                             faults(0).return_token();
                             EXPECT_TRUE(wait_for_service(0, Service::in));
                             reset_counts();
                             EXPECT_TRUE(wait_for([&] { return signatures(0) > 0; }));
                           }),
            0U);
}

TEST_F(Failover, WithAllMembersAwayItFailsAtOnceAndServesSoonAfterOneIsBack) {
  use_group("probe = [\"100ms\", \"60s\"]\nattempt-timeout = \"500ms\"\n");
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  for (std::size_t i = 0; i < kMembers; ++i) faults(i).remove_token();
  EXPECT_TRUE(wait_for([&] { return error_of([&] { (void)signs(httpd); }).has_value(); }));
  for (std::size_t i = 0; i < kMembers; ++i) {
    EXPECT_TRUE(wait_for([&] {
      (void)error_of([&] { (void)signs(httpd); });
      return status(i).service == Service::out;
    }));
  }
  std::this_thread::sleep_for(2s);  // by their own pauses, the next probe would be a minute away
  reset_counts();
  const auto before = std::chrono::steady_clock::now();
  std::optional<Error> error;
  for (int i = 0; i < 1000; ++i) error = error_of([&] { (void)signs(httpd); });
  const auto took = std::chrono::steady_clock::now() - before;
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::server);
  EXPECT_THAT(error->what(), AllOf(HasSubstr("group \"front\""), HasSubstr("hsm-a (out of service): "),
                                   HasSubstr("hsm-b"), HasSubstr("hsm-c")));
  EXPECT_EQ(signatures(0) + signatures(1) + signatures(2), 0U);
  EXPECT_LT(took, 20s) << "no failure waits for anything";
  EXPECT_TRUE(group()->failure());
  faults(1).return_token();
  EXPECT_TRUE(wait_for([&] { return !error_of([&] { (void)signs(httpd); }); }));
  EXPECT_FALSE(group()->failure());
}

TEST_F(Failover, ALastMemberIsRepairedOnTheWay) {
  use_members("[\"hsm-a\"]\n");
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  faults(0).drop_sessions();
  EXPECT_TRUE(signs(httpd)) << "as a lone token does";
}

TEST_F(Failover, AWrongPinIsTriedOnceAndTakenUpWhenItIsPutRight) {
  const auto pin_file = hsm_.directory().write("hsm-b.pin", "999999\n");
  std::filesystem::permissions(pin_file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  set_lines(1, "pin = \"file:" + pin_file.string() + "\"\n");
  use_group("probe = [\"100ms\"]\nattempt-timeout = \"500ms\"\n");
  reset_counts();
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             EXPECT_TRUE(wait_for_service(1, Service::refused));
                             std::this_thread::sleep_for(500ms);  // time for probes, which must not log in
                             EXPECT_EQ(faults(1).calls(Function::C_Login), 1U);
                             hsm_.directory().write("hsm-b.pin", hsm_.pin() + "\n");
                             EXPECT_TRUE(wait_for_service(1, Service::in));
                             EXPECT_TRUE(wait_for([&] { return signatures(1) > 0; }));
                           }),
            0U);
  ASSERT_FALSE(notices().empty());
  EXPECT_THAT(notices()[0],
              AllOf(HasSubstr("member \"hsm-b\" is out of service until its PIN is put right: "),
                    HasSubstr("its PIN is read again in"), Not(HasSubstr("asked again"))));
}

// What took it out was the first thing to be seen, and not what keeps it away.
TEST_F(Failover, AnotherReasonThatLastsIsTold) {
  use_group("probe = [\"100ms\"]\n");
  ASSERT_TRUE(signs(key()));
  faults(1).remove_token();
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(wait_for([&] { return signs(httpd) && status(1).service == Service::out; }));
  const std::size_t told = notices().size();
  faults(1).fail(Function::C_GetSlotList, CKR_VENDOR_DEFINED | 0x77, kEveryCall);
  EXPECT_TRUE(wait_for([&] { return notices().size() > told; }));
  EXPECT_THAT(notices().back(), AllOf(HasSubstr("member \"hsm-b\" is still out of service: "),
                                      HasSubstr("C_GetSlotList"), HasSubstr("asked again in 100ms")));
  std::this_thread::sleep_for(500ms);  // time for probes, which have nothing new to say
  EXPECT_EQ(notices().size(), told + 1);
}

TEST_F(Failover, AWrongPinThatAnOutageBringsIsTold) {
  const auto pin_file = hsm_.directory().write("hsm-b.pin", hsm_.pin() + "\n");
  std::filesystem::permissions(pin_file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  set_lines(1, "pin = \"file:" + pin_file.string() + "\"\n");
  use_group("probe = [\"100ms\"]\n");
  const keys::PrivateKey httpd = key();
  faults(1).remove_token();
  ASSERT_TRUE(wait_for([&] { return signs(httpd) && status(1).service == Service::out; }));
  hsm_.directory().write("hsm-b.pin", "999999\n");
  faults(1).return_token();
  ASSERT_TRUE(wait_for_service(1, Service::refused));
  const std::string wrong = "member \"hsm-b\" is still out of service until its PIN is put right: ";
  EXPECT_TRUE(wait_for([&] { return notices().back().find(wrong) != std::string::npos; }))
      << notices().back();
  hsm_.directory().write("hsm-b.pin", hsm_.pin() + "\n");
  EXPECT_TRUE(wait_for_service(1, Service::in));
}

TEST_F(Failover, AWrongPinOfAMemberIsTriedOnceByAllWorkersOfAServer) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has no threads in a child of a process with threads";
#endif
  const auto pin_file = hsm_.directory().write("hsm-b.pin", "999999\n");
  std::filesystem::permissions(pin_file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  set_lines(1, "pin = \"file:" + pin_file.string() + "\"\n");
  use_group();
  reset_counts();
  std::vector<pid_t> workers;
  for (int i = 0; i < 4; ++i) {
    const pid_t worker = ::fork();
    if (worker == 0) {
      bool good = true;
      try {
        const keys::PrivateKey httpd = key();
        for (int n = 0; n < 20; ++n) good = signs(httpd) && good;
      } catch (...) {
        good = false;
      }
      ::_exit(good ? 0 : 1);
    }
    workers.push_back(worker);
  }
  for (const pid_t worker : workers) {
    int ended = -1;
    ASSERT_EQ(::waitpid(worker, &ended, 0), worker);
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(faults(1).calls(Function::C_Login), 1U);
}

TEST_F(Failover, ARollingRestartOfAllMembersFailsNothing) {
  const keys::PrivateKey httpd = key();
  EXPECT_EQ(failures_while(httpd,
                           [&] {
                             for (std::size_t i = 0; i < kMembers; ++i) {
                               faults(i).remove_token();
                               std::this_thread::sleep_for(200ms);  // for the load to run on
                               faults(i).return_token();
                               EXPECT_TRUE(wait_for_service(i, Service::in));
                               std::this_thread::sleep_for(300ms);  // for the load to run on
                             }
                           }),
            0U);
}

TEST_F(Failover, StandbysAreCheckedThoughTheySignNothing) {
  use_group("min-active = 2\nprobe = [\"100ms\"]\ncheck = \"200ms\"\nattempt-timeout = \"500ms\"\n");
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_TRUE(wait_for([&] { return faults(2).calls(Function::C_Login) == 1U; })) << "it is logged in";
  faults(2).remove_token();
  EXPECT_TRUE(wait_for_service(2, Service::out));
  EXPECT_EQ(signatures(2), 0U);
  faults(2).return_token();
  EXPECT_TRUE(wait_for_service(2, Service::in));
}

TEST_F(Failover, AForkedChildHasItsOwnMembers) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has no threads in a child of a process with threads";
#endif
  const keys::PrivateKey httpd = key();
  ASSERT_TRUE(signs(httpd));
  EXPECT_TRUE(test::true_in_child([&] {
    bool good = true;
    for (int i = 0; i < 20; ++i) good = signs(httpd) && good;
    faults(0).fail(Function::C_Sign, CKR_DEVICE_ERROR, kEveryCall);
    for (int i = 0; i < 20; ++i) good = signs(httpd) && good;
    return good;
  }));
  faults(0).fail(Function::C_Sign, CKR_OK, 0);
  EXPECT_TRUE(signs(httpd));
  EXPECT_EQ(status(0).service, Service::in) << "what the child met, the parent has not";
}

}  // namespace
}  // namespace keystay::ha
