// Signing in jobs, as servers with SSL_MODE_ASYNC do it (pitfalls of section 4 of the design notes).
#include <atomic>
#include <filesystem>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/err.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/async/abandon.h"
#include "tests/provider/process_footprint.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"
#include "tests/provider/signing_job.h"

namespace keystay::test {
namespace {

using F = Function;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class AsyncTest : public ProviderTest {
 protected:
  AsyncTest() { EXPECT_TRUE(signs()) << take_errors(); }  // in this thread: finds the key

  [[nodiscard]] bool signs() const {
    const auto signature = sign(*context_, key_.get(), "SHA256", message_);
    return signature && verifies(public_key_.get(), "SHA256", message_, *signature);
  }
  [[nodiscard]] std::unique_ptr<SigningJob> job() const {
    return std::make_unique<SigningJob>([this] { return signs(); });
  }

  [[nodiscard]] async::AbandonFunction abandon() const {
    async::AbandonFunction function = nullptr;
    OSSL_PROVIDER_get_capabilities(
        context_->keystay(), async::kCapability,
        [](const OSSL_PARAM params[], void* argument) {
          const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, async::kAbandonParameter);
          const void* pointer = nullptr;
          std::size_t size = 0;
          if (!param || OSSL_PARAM_get_octet_ptr(param, &pointer, &size) != 1) return 0;
          *static_cast<async::AbandonFunction*>(argument) =
              reinterpret_cast<async::AbandonFunction>(const_cast<void*>(pointer));
          return 1;
        },
        &function);
    return function;
  }
  // With these lines in keystay.toml, in a library context that has seen no other.
  void start_again(std::string_view more) {
    configure(more);
    context_ = std::make_unique<LibraryContext>();
    key_ = context_->load("keystay:ec");
  }
  static int resume_job(void* job) noexcept { return static_cast<SigningJob*>(job)->resume(); }

  std::unique_ptr<LibraryContext> context_ = std::make_unique<LibraryContext>();
  EvpPkey key_ = context_->load("keystay:ec");
  EvpPkey public_key_ = public_key("ec");
  pkcs11::Bytes message_ = bytes_of("in a job");
};

// Its stack is 32 KiB without guard page. TearDown looks at the module's calls, here those of all that a key
// can want: to be loaded, to be found again, a login.
TEST_F(AsyncTest, NothingThatAJobDoesCallsTheModuleOnItsStack) {
  SigningJob everything([this] {
    const EvpPkey loaded = context_->load("keystay:ec");
    faults().drop_sessions();
    if (!signs()) return false;
    faults().forget_initialize();
    return signs() && sign(*context_, loaded.get(), "SHA256", message_).has_value();
  });
  EXPECT_TRUE(everything.run()) << take_errors();
}

TEST_F(AsyncTest, AJobPausesAndIsWokenByADescriptor) {
  const auto signing = job();
  faults().hold(F::C_Sign);
  ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  EXPECT_THAT(signing->descriptors(), SizeIs(1));
  EXPECT_FALSE(signing->wait_for_wake(std::chrono::milliseconds(20)));
  faults().release(F::C_Sign);
  EXPECT_TRUE(signing->wait_for_wake());
  EXPECT_EQ(signing->resume(), ASYNC_FINISH);
  EXPECT_TRUE(signing->succeeded()) << take_errors();
}

TEST_F(AsyncTest, AJobWithACallbackNeedsNoDescriptor) {
  std::atomic<int> woken = 0;
  const auto signing = job();
  signing->wake_by(woken);
  const auto before = open_eventfds();
  faults().hold(F::C_Sign);  // a signature that is ready at once needs no pause
  ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  EXPECT_LE(open_eventfds(), before);
  EXPECT_THAT(signing->descriptors(), SizeIs(0));
  faults().release(F::C_Sign);
  while (woken == 0) std::this_thread::yield();
  EXPECT_EQ(signing->resume(), ASYNC_FINISH);
  EXPECT_TRUE(signing->succeeded()) << take_errors();
  EXPECT_EQ(woken, 1);
}

TEST_F(AsyncTest, OneThreadKeepsManySignaturesInFlight) {
  faults().hold(F::C_Sign);
  std::vector<std::unique_ptr<SigningJob>> jobs;
  for (int i = 0; i < 16; ++i) {
    jobs.push_back(job());
    ASSERT_EQ(jobs.back()->resume(), ASYNC_PAUSE);
  }
  EXPECT_TRUE(faults().wait_until_inside(F::C_Sign, 16));
  faults().release(F::C_Sign);
  for (const auto& signing : jobs) EXPECT_TRUE(signing->run()) << take_errors();
}

TEST_F(AsyncTest, AllPausesOfAWaitContextHaveOneDescriptor) {
  faults().hold(F::C_Sign);
  std::vector<OSSL_ASYNC_FD> seen;
  SigningJob three([this] { return signs() && signs() && signs(); });
  int pauses = 0;
  while (three.resume() == ASYNC_PAUSE) {
    ++pauses;
    const auto now = three.descriptors();
    if (seen.empty()) seen = now;
    EXPECT_EQ(now, seen);
    EXPECT_THAT(now, SizeIs(1));
    faults().release(F::C_Sign);
    EXPECT_TRUE(three.wait_for_wake());
    faults().hold(F::C_Sign);  // the next one
  }
  EXPECT_TRUE(three.succeeded()) << take_errors();
  EXPECT_EQ(pauses, 3);
}

TEST_F(AsyncTest, AJobThatIsResumedTooEarlyPausesAgain) {
  const auto signing = job();
  faults().hold(F::C_Sign);
  for (int i = 0; i < 300; ++i) ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  faults().release(F::C_Sign);
  EXPECT_TRUE(signing->run()) << take_errors();
  EXPECT_EQ(faults().calls(F::C_Sign), 2u);  // the fixture's, and one
}

// The error queue belongs to the thread, and to all jobs on it.
TEST_F(AsyncTest, TheErrorQueueIsEmptyAtAPauseAndOthersErrorsAreNotTaken) {
  SigningJob signing([this] {
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);  // something before the signature
    return signs();
  });
  faults().hold(F::C_Sign);
  ASSERT_EQ(signing.resume(), ASYNC_PAUSE);
  EXPECT_EQ(ERR_peek_error(), 0u);
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);  // another connection's
  ASSERT_EQ(signing.resume(), ASYNC_PAUSE);
  EXPECT_EQ(ERR_peek_error(), 0u);
  faults().release(F::C_Sign);
  EXPECT_TRUE(signing.run());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_F(AsyncTest, AnErrorReachesTheJob) {
  faults().fail(F::C_Sign, CKR_DATA_INVALID);
  EXPECT_FALSE(job()->run());
  EXPECT_THAT(take_errors(), HasSubstr("CKR_DATA_INVALID"));
  EXPECT_TRUE(job()->run()) << take_errors();
}

// HAProxy reserves no descriptors for providers.
TEST_F(AsyncTest, WithoutDescriptorsTheThreadWaitsInstead) {
  ASSERT_TRUE(job()->run()) << take_errors();
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const int next = dup(0);  // the lowest number that is free
  close(next);
  const rlimit none{static_cast<rlim_t>(next), limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto signing = job();
  const int status = signing->resume();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(status, ASYNC_FINISH);
  EXPECT_TRUE(signing->succeeded()) << take_errors();
}

TEST_F(AsyncTest, WherePausingIsBlockedTheThreadWaitsInstead) {
  faults().delay(F::C_Sign, std::chrono::milliseconds(30));
  SigningJob signing([this] {
    ASYNC_block_pause();
    const bool good = signs();
    ASYNC_unblock_pause();
    return good;
  });
  EXPECT_EQ(signing.resume(), ASYNC_FINISH);
  EXPECT_TRUE(signing.succeeded()) << take_errors();
}

TEST_F(AsyncTest, ACallThatHangsEndsAtTheDeadline) {
  start_again("timeout = \"2s\"\n");
  ASSERT_TRUE(signs()) << take_errors();
  faults().hold(F::C_Sign);
  const auto signing = job();
  ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  const auto queued = job();  // perhaps by another thread
  ASSERT_EQ(queued->resume(), ASYNC_PAUSE);
  EXPECT_FALSE(signing->run());
  const std::string errors = take_errors();
  EXPECT_THAT(errors, HasSubstr("the token is not available"));
  EXPECT_THAT(errors, HasSubstr("token \"web\""));
  EXPECT_FALSE(queued->run());
  ERR_clear_error();
  faults().release(F::C_Sign);
  EXPECT_TRUE(job()->run()) << take_errors();
}

// `hung-calls = "leave"`.
TEST_F(AsyncTest, WithoutAJobACallThatHangsIsLeftAtTheDeadlineIfThatIsConfigured) {
  start_again("timeout = \"2s\"\nhung-calls = \"leave\"\n");
  ASSERT_TRUE(signs()) << take_errors();
  faults().hold(F::C_Sign);
  EXPECT_FALSE(signs());
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("the token is not available"),
                                   HasSubstr("token \"web\" did not answer within its time-out")));
  faults().release(F::C_Sign);
  EXPECT_TRUE(signs()) << take_errors();
  // Every call, for the one that was left may only now go on.
  faults().fail(F::C_Sign, CKR_KEY_FUNCTION_NOT_PERMITTED, kEveryCall);
  EXPECT_FALSE(signs());
  EXPECT_THAT(take_errors(), AllOf(HasSubstr("the token refused the operation"),
                                   HasSubstr("CKR_KEY_FUNCTION_NOT_PERMITTED")));
}

TEST_F(AsyncTest, AnAbandonedJobEndsAtOnceAndNobodyIsWoken) {
  std::atomic<int> woken = 0;
  const auto signing = job();
  signing->wake_by(woken);
  faults().hold(F::C_Sign);
  ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  ASSERT_TRUE(faults().wait_until_inside(F::C_Sign, 1));
  EXPECT_EQ(abandon()(resume_job, signing.get()), ASYNC_FINISH);
  EXPECT_FALSE(signing->succeeded());
  EXPECT_THAT(take_errors(), HasSubstr("operation abandoned"));
  faults().release(F::C_Sign);
  EXPECT_TRUE(job()->run()) << take_errors();
  EXPECT_EQ(woken, 0);
}

TEST_F(AsyncTest, AnAbandonedJobFailsEvenIfItsSignatureIsReady) {
  const auto signing = job();
  ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
  ASSERT_TRUE(signing->wait_for_wake());
  EXPECT_EQ(abandon()(resume_job, signing.get()), ASYNC_FINISH);
  EXPECT_FALSE(signing->succeeded());
  ERR_clear_error();
}

TEST_F(AsyncTest, AnAbandonedJobBeginsNothingNew) {
  SigningJob two([this] {
    static_cast<void>(signs());
    return signs();
  });
  faults().hold(F::C_Sign);
  ASSERT_EQ(two.resume(), ASYNC_PAUSE);
  EXPECT_EQ(abandon()(resume_job, &two), ASYNC_FINISH);
  EXPECT_FALSE(two.succeeded());
  ERR_clear_error();
  faults().release(F::C_Sign);
}

// "A client that disconnects while the HSM is signing leaks nothing."
TEST_F(AsyncTest, TwentyThousandAbandonedJobsLeaveNothing) {
  start_again("sessions = 4\n");
  faults().delay(F::C_Sign, std::chrono::milliseconds(1));
  const auto eventfds = open_eventfds();
  const auto abandon_jobs = [this, eventfds, give_up = abandon()](int count) {
    for (int abandoned = 0; abandoned < count;) {
      std::atomic<int> woken = 0;
      const auto signing = job();
      if (abandoned % 2 == 0) signing->wake_by(woken);
      if (signing->resume() != ASYNC_PAUSE) continue;  // signed already
      if (abandoned % 16 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
      ASSERT_EQ(give_up(resume_job, signing.get()), ASYNC_FINISH);
      ERR_clear_error();
      ++abandoned;
    }
    ASSERT_TRUE(job()->run());  // behind all of them in the queue
    ASSERT_TRUE(wait_for_eventfds(eventfds));
  };
  abandon_jobs(4000);
  const Footprint before = Footprint::now();
  abandon_jobs(20'000);
  const Footprint after = Footprint::now();
  if (!Footprint::memory_is_quarantined()) {
    EXPECT_LE(after.resident_kib, before.resident_kib + 4096);
  }
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
}

// HAProxy frees the wait context and never resumes the job. Its stack is OpenSSL's loss; the rest is not.
TEST_F(AsyncTest, AJobWhoseWaitContextIsFreedLeavesNoDescriptor) {
  static auto& lost = *new std::vector<ASYNC_JOB*>;  // reachable for a leak checker
  const auto before = open_eventfds();
  ASSERT_TRUE(job()->run());
  for (const bool late : {true, false}) {
    faults().hold(F::C_Sign);
    const auto signing = job();
    ASSERT_EQ(signing->resume(), ASYNC_PAUSE);
    ASSERT_TRUE(faults().wait_until_inside(F::C_Sign, 1));
    if (!late) {
      faults().release(F::C_Sign);
      ASSERT_TRUE(signing->wait_for_wake());
    }
    lost.push_back(signing->job());
    signing->free_wait_context();
    faults().release(F::C_Sign);
    ASSERT_TRUE(job()->run()) << take_errors();
  }
  EXPECT_TRUE(wait_for_eventfds(before));  // the signer thread closes it last
}

TEST_F(AsyncTest, OutsideOfJobsThereAreNoThreads) {
  const auto before = Footprint::now().threads;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(signs()) << take_errors();
  EXPECT_EQ(Footprint::now().threads, before);
}

TEST_F(AsyncTest, UnloadingTheProviderLeavesNoThread) {
  const auto before = Footprint::now().threads;
  ASSERT_TRUE(job()->run()) << take_errors();
  EXPECT_GT(Footprint::now().threads, before);
  key_.reset();
  context_.reset();
  EXPECT_TRUE(wait_for_threads(before));
}

TEST_F(AsyncTest, AForkedChildHasItsOwnThreads) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has no threads in a child of a process with threads";
#endif
  ASSERT_TRUE(job()->run()) << take_errors();
  const pid_t child = fork();
  if (child == 0) {
    const bool good = job()->run() && job()->run();
    key_.reset();
    context_.reset();
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(job()->run()) << take_errors();
}

// Neither waits for a module that hangs.
TEST_F(AsyncTest, UnloadAndExitDoNotWaitForACallThatHangs) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer has no threads in a child of a process with threads";
#endif
  faults().hold(F::C_Sign);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const auto signing = job();
    if (signing->resume() != ASYNC_PAUSE || !faults().wait_until_inside(F::C_Sign, 1)) _exit(2);
    static_cast<void>(abandon()(resume_job, signing.get()));
    key_.reset();
    context_.reset();
    leave_token_to_parent();
    end_without_a_leak_check();
    exit(7);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
  faults().release(F::C_Sign);
}

}  // namespace
}  // namespace keystay::test
